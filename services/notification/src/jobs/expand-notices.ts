import type { Call } from '@haat/kit/call'
import { AppError } from '@haat/kit/errors'
import { job } from '@haat/kit/jobs'
import { isOutage } from '@haat/kit/store-away'
import type { Member } from '@haat/proto/vendor/v1/vendor'
import type { NotificationContext } from '../context.ts'
import { queueForPerson } from '../db/messages.ts'
import type { StoredNotice } from '../db/schema.ts'
import { retryOf } from '../domain/backoff.ts'
import type { BuiltInKey } from '../domain/built-in.ts'
import { drain, noteDown } from './drain.ts'

/** Asks who a vendor's people are, and queues a message for each of them who is concerned. */
export const expandNotices = job<NotificationContext>('expand-notices', {
  everySeconds: 10,
  run: (ctx, call) =>
    drain<StoredNotice, Map<string, Promise<Member[]>>>(
      { db: ctx.db, table: 'notices', now: ctx.now, call },
      // A batch asks for each vendor's people once.
      async () => new Map(),
      async (notice, asked) => {
        const { vendor_id: vendorId, permission } = notice
        const listing = asked.get(vendorId) ?? listMembers(ctx, vendorId)
        asked.set(vendorId, listing)
        const members = await listing.catch((error) => postpone(ctx, call, notice, error))
        const mayKnow = ({ permissions, isOwner }: Member) =>
          isOwner || permissions.includes('*') || permissions.includes(permission)
        const told = members?.filter(mayKnow)
        if (told) await noteDown({ call, now: ctx.now }, notice, () => expand(ctx, notice, told))
      },
    ),
})

async function listMembers(ctx: NotificationContext, vendorId: string): Promise<Member[]> {
  const members: Member[] = []
  let pageToken = ''
  do {
    const page = await ctx.vendor.listMembers({ vendorId, pageSize: 100, pageToken })
    members.push(...page.members)
    pageToken = page.nextPageToken
  } while (pageToken)
  return members
}

const expand = (ctx: NotificationContext, notice: StoredNotice, people: Member[]) =>
  ctx.db.transaction().execute(async (tx) => {
    const template = notice.template_key as BuiltInKey
    for (const { userId } of people)
      await queueForPerson(ctx, tx, { eventId: notice.event_id, template, to: { userId }, values: notice.payload_json })
    await tx.deleteFrom('notices').where('id', '=', notice.id).execute()
  })

async function postpone(ctx: NotificationContext, call: Call, notice: StoredNotice, error: unknown): Promise<void> {
  const isNobody = error instanceof AppError && error.status === 'NOT_FOUND'
  const code = error instanceof AppError ? error.code : 'failed'
  const next = retryOf(ctx.now(), notice.attempts, ctx.messageRetrySeconds, { isOutage: isOutage(error) })
  const again = isNobody ? undefined : next.again
  call.log.warn({ err: error, noticeId: notice.id, again }, "a vendor's people cannot be found")
  const update = ctx.db
    .updateTable('notices')
    .set({
      status: again ? 'queued' : 'failed',
      error: code,
      attempts: next.attempts,
      next_attempt_at: again ?? null,
      leased_until: null,
    })
    .where('id', '=', notice.id)
    .where('leased_until', '=', notice.leased_until)
  await noteDown({ call, now: ctx.now }, notice, () => update.execute())
}
