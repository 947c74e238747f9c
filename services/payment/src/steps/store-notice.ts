import type { Log } from '@haat/kit/log'
import { type Selectable, sql } from '@haat/kit/postgres'
import type { PaymentContext } from '../context.ts'
import type { WebhookEventRow } from '../db/schema.ts'
import { nextAttempt } from '../domain/back-off.ts'
import type { Notice } from '../provider/provider.ts'
import { takeNotice } from './take-notice.ts'

const LEASE_SECONDS = 60
const FIRST_RETRY_SECONDS = 10
/** After about half a day somebody should look; the state itself is still reached by the other jobs. */
const MAX_ATTEMPTS = 20

/** Stores a notification, once by its id, and acts on it; true when it was stored before. Acting may be left to the job. */
export async function storeNotice(ctx: PaymentContext, notice: Notice, log: Log): Promise<boolean> {
  const { eventId: event_id, type, subject } = notice
  const stored = await ctx.db
    .insertInto('webhook_events')
    .values({
      provider: ctx.provider.name,
      event_id,
      type,
      subject_kind: subject.kind,
      subject_id: subject.id,
      status: subject.kind === 'other' ? 'ignored' : 'received',
      next_attempt_at: subject.kind === 'other' ? null : new Date(ctx.now().getTime() + LEASE_SECONDS * 1000),
      processed_at: null,
    })
    .onConflict((c) => c.doNothing())
    .returningAll()
    .executeTakeFirst()
  if (stored?.status === 'received') await actOn(ctx, stored, log)
  return stored === undefined
}

/** Acts on a stored notification its caller has claimed. Never throws: what fails is tried again by the job. */
export async function actOn(ctx: PaymentContext, event: Selectable<WebhookEventRow>, log: Log): Promise<void> {
  const done = ctx.db
    .updateTable('webhook_events')
    .where('provider', '=', event.provider)
    .where('event_id', '=', event.event_id)
  try {
    const isOurs = await takeNotice(ctx, { kind: event.subject_kind, id: event.subject_id })
    const status = isOurs ? 'processed' : 'ignored'
    await done.set({ status, processed_at: sql`now()`, next_attempt_at: null }).execute()
  } catch (err) {
    const isLast = event.attempts >= MAX_ATTEMPTS
    log[isLast ? 'error' : 'warn']({ err, eventId: event.event_id, type: event.type }, 'notification not acted on')
    const next_attempt_at = isLast ? null : nextAttempt(ctx.now(), event.attempts, FIRST_RETRY_SECONDS)
    await done.set({ status: isLast ? 'failed' : 'received', next_attempt_at }).execute()
  }
}
