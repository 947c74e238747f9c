import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { GetMessageRequest, GetMessageResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { toMessage } from '../db/messages.ts'

export async function getMessage(
  ctx: NotificationContext,
  request: GetMessageRequest,
  _call: Call,
): Promise<GetMessageResponse> {
  const row = await ctx.db.selectFrom('messages').selectAll().where('id', '=', request.messageId).executeTakeFirst()
  if (!row) throw notFound('message_not_found', 'no such message')
  return { message: toMessage(row, { includeBody: true, showsSecrets: ctx.showsSecrets }) }
}
