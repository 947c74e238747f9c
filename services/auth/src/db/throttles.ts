import { createHash } from 'node:crypto'
import { exhausted } from '@haat/kit/errors'
import type { AuthContext } from '../context.ts'
import {
  type Counter,
  countFailure,
  countUse,
  type Decision,
  type FailureLimit,
  type UseLimit,
} from '../domain/throttle.ts'
import type { ThrottleRow } from './schema.ts'

type Limited = Pick<AuthContext, 'db' | 'now'>

/** Names a counter; what it counts by (an e-mail, an address) is kept as a hash only. */
export const throttleKey = (what: string, by: string): string =>
  `${what}:${createHash('sha256').update(by).digest('base64url')}`

/** An attempt that was counted as a failure, to be taken back when it turns out right. */
export type Attempt = { key: string; at: Date }

/** Counts an attempt as a failure. RESOURCE_EXHAUSTED `too_many_attempts` with `retryAfterSeconds` while it must wait. */
export async function attempt(ctx: Limited, key: string, limit: FailureLimit): Promise<Attempt> {
  const at = ctx.now()
  await count(ctx, key, at, (counter) => countFailure(limit, counter, at))
  return { key, at }
}

/** Counts one use of something that is rationed. RESOURCE_EXHAUSTED `too_many_attempts` when the ration is spent. */
export async function use(ctx: Limited, key: string, limit: UseLimit): Promise<void> {
  const at = ctx.now()
  await count(ctx, key, at, (counter) => countUse(limit, counter, at))
}

async function count(
  ctx: Limited,
  key: string,
  now: Date,
  decide: (counter: Counter | undefined) => Decision,
): Promise<void> {
  const decision = await ctx.db.transaction().execute(async (tx) => {
    await tx
      .insertInto('throttles')
      .values({ key, count: 0, started_at: now, last_at: now, blocked_until: null })
      .onConflict((c) => c.doNothing())
      .execute()
    const row = await tx.selectFrom('throttles').selectAll().where('key', '=', key).forUpdate().executeTakeFirst()
    const decided = decide(row && toCounter(row))
    if (decided.allowed) {
      const { count, startedAt, lastAt, blockedUntil } = decided.next
      await tx
        .updateTable('throttles')
        .set({ count, started_at: startedAt, last_at: lastAt, blocked_until: blockedUntil })
        .where('key', '=', key)
        .execute()
    }
    return decided
  })
  if (!decision.allowed)
    throw exhausted('too_many_attempts', 'too many attempts, try again later', {
      retryAfterSeconds: decision.retryAfterSeconds,
    })
}

/** Takes one attempt back; the failures of others that the counter holds stay. */
export async function takeBack(ctx: Limited, { key, at }: Attempt): Promise<void> {
  await ctx.db
    .updateTable('throttles')
    .set((eb) => ({
      count: eb.fn<number>('greatest', [eb('count', '-', 1), eb.lit(0)]),
      blocked_until: eb.case().when('last_at', '=', at).then(null).else(eb.ref('blocked_until')).end(),
    }))
    .where('key', '=', key)
    .execute()
}

/** Forgets a counter: the person has shown who they are. */
export async function clearThrottle(db: AuthContext['db'], key: string): Promise<void> {
  await db.deleteFrom('throttles').where('key', '=', key).execute()
}

const toCounter = (row: ThrottleRow): Counter => ({
  count: row.count,
  startedAt: row.started_at,
  lastAt: row.last_at,
  blockedUntil: row.blocked_until,
})

export const loginKey = (email: string) => throttleKey('login-account', email)
export const passwordKey = (userId: string) => throttleKey('password', userId)
export const verificationKey = (userId: string) => throttleKey('verification', userId)
export const resetKey = (email: string) => throttleKey('reset-account', email)
