import { enumNames } from '@haat/kit/enum'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import { type CouponUsage, UsageState } from '@haat/proto/promotion/v1/promotion'
import { sql } from 'kysely'
import type { CouponUsageRow, Database } from './schema.ts'

const usageState = enumNames(UsageState)

/** A usage with its coupon's code. */
export type Usage = Selectable<CouponUsageRow> & { code: string }
type State = Usage['state']

/** An order's usages by coupon. Nothing else changes them until the transaction ends, not even a first hold. */
export async function lockUsages(tx: Transaction<Database>, orderId: string): Promise<Usage[]> {
  await sql`select pg_advisory_xact_lock(hashtextextended('coupon_usages:' || ${orderId}::text, 0))`.execute(tx)
  return tx
    .selectFrom('coupon_usages as u')
    .innerJoin('coupons as c', 'c.id', 'u.coupon_id')
    .selectAll('u')
    .select('c.code')
    .where('u.order_id', '=', orderId)
    .orderBy('u.coupon_id')
    .execute()
}

export type OrderEvent = {
  /** The order event's sequence; an older one than the last applied changes nothing. */
  sequence?: bigint
}

/** Counts an order's coupons as used, whatever became of their holds: the customer has paid. Answers them as they stand. */
export const redeemUsages = (
  tx: Transaction<Database>,
  orderId: string,
  now: Date,
  event: OrderEvent = {},
): Promise<Usage[]> => move(tx, orderId, { from: ['held', 'released'], to: 'redeemed', now, ...event })

/** Gives an order's coupons back; answers them as they stand. */
export const releaseUsages = (
  tx: Transaction<Database>,
  orderId: string,
  now: Date,
  options: OrderEvent & { from: State[]; lapsedOnly?: boolean },
): Promise<Usage[]> => move(tx, orderId, { ...options, to: 'released', now })

async function move(
  tx: Transaction<Database>,
  orderId: string,
  options: { from: State[]; to: State; now: Date; sequence?: bigint; lapsedOnly?: boolean },
): Promise<Usage[]> {
  const { from, to, now, sequence } = options
  const standing: Usage[] = []
  for (const usage of await lockUsages(tx, orderId)) {
    const stale = sequence !== undefined && sequence < usage.order_sequence
    const moves = !stale && from.includes(usage.state) && !(options.lapsedOnly && usage.expires_at >= now)
    if (stale || (!moves && sequence === undefined)) {
      standing.push(usage)
      continue
    }
    const row = await tx
      .updateTable('coupon_usages')
      .set({
        ...(moves ? { state: to, used_at: to === 'redeemed' ? now : null, updated_at: now } : {}),
        ...(sequence === undefined ? {} : { order_sequence: sequence }),
      })
      .where('id', '=', usage.id)
      .returningAll()
      .executeTakeFirstOrThrow()
    if (moves) await count(tx, usage, usage.state, to)
    standing.push({ ...row, code: usage.code })
  }
  return standing
}

const one = (state: State, wanted: State): number => (state === wanted ? 1 : 0)
const counted = (state: State): number => (state === 'released' ? 0 : 1)

/** Moves a usage between its coupon's counters. Callers go through an order's usages by coupon id, as holds do. */
async function count(tx: Transaction<Database>, usage: Usage, from: State, to: State): Promise<void> {
  await sql`
    update coupons
       set held_count = held_count + ${one(to, 'held') - one(from, 'held')}::int,
           redeemed_count = redeemed_count + ${one(to, 'redeemed') - one(from, 'redeemed')}::int
     where id = ${usage.coupon_id}`.execute(tx)
  const delta = counted(to) - counted(from)
  if (delta === 0) return
  await sql`
    update coupon_user_counts set uses = uses + ${delta}::int
     where coupon_id = ${usage.coupon_id} and user_id = ${usage.user_id}`.execute(tx)
}

export const toUsage = (usage: Usage): CouponUsage => ({
  id: usage.id,
  couponId: usage.coupon_id,
  code: usage.code,
  userId: usage.user_id,
  orderId: usage.order_id,
  state: usageState.fromName(usage.state),
  discount: { currency: usage.currency, minor: usage.discount },
  expiresAt: usage.expires_at,
  usedAt: usage.used_at ?? undefined,
})
