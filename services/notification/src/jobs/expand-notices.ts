import type { Call } from '@haat/kit/call'
import { AppError } from '@haat/kit/errors'
import { job } from '@haat/kit/jobs'
import type { NotificationContext } from '../context.ts'
import { type Addressee, queueForPerson } from '../db/messages.ts'
import type { StoredNotice } from '../db/schema.ts'
import { nextAttempt } from '../domain/backoff.ts'
import type { BuiltInKey } from '../domain/built-in.ts'
import { drain } from './drain.ts'

/** Asks who a vendor's people are, and queues a message for each of them who is concerned. */
export const expandNotices = job<NotificationContext>('expand-notices', {
  everySeconds: 1,
  run: (ctx, call) =>
    drain<StoredNotice, undefined>(
      { db: ctx.db, table: 'notices', now: ctx.now, call },
      async () => undefined,
      async (notice) => {
        const people = await findPeople(ctx, notice).catch((error) => postpone(ctx, call, notice, error))
        if (people) await expand(ctx, notice, people)
      },
    ),
})

async function findPeople(ctx: NotificationContext, notice: StoredNotice): Promise<Addressee[]> {
  const people: Addressee[] = []
  let pageToken = ''
  do {
    const page = await ctx.vendor.listMembers({ vendorId: notice.vendor_id, pageSize: 100, pageToken })
    for (const { userId, permissions, isOwner } of page.members)
      if (isOwner || permissions.includes('*') || permissions.includes(notice.permission)) people.push({ userId })
    pageToken = page.nextPageToken
  } while (pageToken)
  return people
}

const expand = (ctx: NotificationContext, notice: StoredNotice, people: Addressee[]) =>
  ctx.db.transaction().execute(async (tx) => {
    const template = notice.template_key as BuiltInKey
    for (const to of people)
      await queueForPerson(ctx, tx, { eventId: notice.event_id, template, to, values: notice.payload_json })
    await tx.deleteFrom('notices').where('id', '=', notice.id).execute()
  })

async function postpone(ctx: NotificationContext, call: Call, notice: StoredNotice, error: unknown): Promise<void> {
  const isNobody = error instanceof AppError && error.status === 'NOT_FOUND'
  const code = error instanceof AppError ? error.code : 'failed'
  const again = isNobody ? undefined : nextAttempt(ctx.now(), notice.attempts, ctx.messageRetrySeconds)
  call.log.warn({ err: error, noticeId: notice.id, again }, "a vendor's people cannot be found")
  await ctx.db
    .updateTable('notices')
    .set({
      status: again ? 'queued' : 'failed',
      error: code,
      next_attempt_at: again ?? null,
      leased_until: null,
    })
    .where('id', '=', notice.id)
    .where('leased_until', '=', notice.leased_until)
    .execute()
}
