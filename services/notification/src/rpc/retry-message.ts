import type { Call } from '@haat/kit/call'
import { failedPrecondition, notFound } from '@haat/kit/errors'
import { sql } from '@haat/kit/postgres'
import type { RetryMessageRequest, RetryMessageResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { toMessage } from '../db/messages.ts'

export async function retryMessage(
  ctx: NotificationContext,
  request: RetryMessageRequest,
  _call: Call,
): Promise<RetryMessageResponse> {
  const row = await ctx.db
    .updateTable('messages')
    .set({
      attempts: sql`case status when 'failed' then 0 else attempts end`,
      status: 'queued',
      next_attempt_at: ctx.now(),
    })
    .where('id', '=', request.messageId)
    .where('status', 'in', ['failed', 'queued'])
    .returningAll()
    .executeTakeFirst()
  if (row) {
    ctx.runSoon('send-messages')
    return { message: toMessage(row, { includeBody: false, showsSecrets: ctx.showsSecrets }) }
  }
  const standing = await ctx.db
    .selectFrom('messages')
    .select('status')
    .where('id', '=', request.messageId)
    .executeTakeFirst()
  if (!standing) throw notFound('message_not_found', 'no such message')
  throw failedPrecondition('message_status_conflict', `the message is ${standing.status}`, { status: standing.status })
}
