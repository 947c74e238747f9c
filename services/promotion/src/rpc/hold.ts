import { conflict, failedPrecondition, invalid } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { Transaction } from '@haat/kit/postgres'
import type { HoldRequest, HoldResponse } from '@haat/proto/promotion/v1/promotion'
import { sql } from 'kysely'
import type { PromotionContext } from '../context.ts'
import { findUses, type StoredCoupon, toDomain, withScopes } from '../db/coupons.ts'
import type { Database } from '../db/schema.ts'
import { lockUsages, toUsage, type Usage } from '../db/usages.ts'
import { type Reason, refusal } from '../domain/coupon.ts'

type Wanted = { couponId: string; currency: string; discount: bigint }

export async function hold(ctx: PromotionContext, request: HoldRequest): Promise<HoldResponse> {
  const wanted = readCoupons(request)
  const ids = wanted.map((coupon) => coupon.couponId)
  const now = ctx.now()
  const expiresAt = new Date(now.getTime() + (request.ttlSeconds || ctx.defaultTtlSeconds) * 1000)
  return ctx.db.transaction().execute(async (tx) => {
    const known = await lockUsages(tx, request.orderId)
    const standing = known.filter((usage) => usage.state !== 'released')
    if (standing.length) {
      const same = standing.length === ids.length && standing.every((usage) => ids.includes(usage.coupon_id))
      if (!same) throw conflict('hold_mismatch', 'this order holds other coupons')
      return { usages: (await renewLapsed(tx, standing, now, expiresAt)).map(toUsage) }
    }
    const rows = await withScopes(tx, await tx.selectFrom('coupons').selectAll().where('id', 'in', ids).execute())
    const coupons = new Map(rows.map((row) => [row.id, row]))
    await refuseUnusable(tx, wanted, coupons, request.userId, now)
    await take(tx, coupons, ids, request.userId)
    // What an earlier attempt of this order gave back makes way for the new hold, which inherits what it knew of events.
    await tx.deleteFrom('coupon_usages').where('order_id', '=', request.orderId).execute()
    const sequence = known.map((usage) => usage.order_sequence).sort((a, b) => (a < b ? 1 : -1))[0] ?? 0n
    const held = await tx
      .insertInto('coupon_usages')
      .values(
        wanted.map(({ couponId, discount, currency }) => ({
          id: newId(),
          coupon_id: couponId,
          user_id: request.userId,
          order_id: request.orderId,
          state: 'held' as const,
          discount,
          currency,
          expires_at: expiresAt,
          used_at: null,
          order_sequence: sequence,
        })),
      )
      .returningAll()
      .execute()
    return { usages: held.map((usage) => toUsage({ ...usage, code: coupons.get(usage.coupon_id)!.code })) }
  })
}

/** The coupons of a request in the order in which rows are locked. */
function readCoupons(request: HoldRequest): Wanted[] {
  const wanted = request.coupons.map(({ couponId, discount }) => ({
    couponId: couponId.toLowerCase(),
    currency: discount!.currency,
    discount: discount!.minor,
  }))
  if (new Set(wanted.map((coupon) => coupon.couponId)).size < wanted.length)
    throw invalid('coupons_duplicate', 'a coupon occurs twice')
  if (wanted.some((coupon) => coupon.discount < 0n)) throw invalid('amount_negative', 'discounts are not negative')
  return wanted.sort((a, b) => (a.couponId < b.couponId ? -1 : 1))
}

/** A hold past its lease that no sweep has found yet still counts; it goes on with a new lease. */
async function renewLapsed(tx: Transaction<Database>, standing: Usage[], now: Date, expiresAt: Date): Promise<Usage[]> {
  const lapsed = standing.filter((usage) => usage.state === 'held' && usage.expires_at < now)
  if (lapsed.length === 0) return standing
  await tx
    .updateTable('coupon_usages')
    .set({ expires_at: expiresAt, updated_at: now })
    .where(
      'id',
      'in',
      lapsed.map((usage) => usage.id),
    )
    .execute()
  return standing.map((usage) => (lapsed.includes(usage) ? { ...usage, expires_at: expiresAt } : usage))
}

const refused = (code: string, reason: Reason) =>
  failedPrecondition('coupon_invalid', 'a coupon does not apply', { code, reason })

async function refuseUnusable(
  tx: Transaction<Database>,
  wanted: readonly Wanted[],
  coupons: ReadonlyMap<string, StoredCoupon>,
  userId: string,
  now: Date,
): Promise<void> {
  const uses = await findUses(tx, [...coupons.keys()], userId)
  for (const { couponId, currency } of wanted) {
    const coupon = coupons.get(couponId)
    if (!coupon) throw refused('', 'coupon_not_found')
    const reason = refusal(toDomain(coupon), { now, userId, usesByUser: uses.get(couponId) ?? 0, currency })
    if (reason) throw refused(coupon.code, reason)
    if (wanted.length > 1 && !coupon.stackable) throw refused(coupon.code, 'coupon_not_stackable')
  }
}

/**
 * Raises the counters of all coupons, of everybody and of this person, each by a statement that only matches below its
 * limit: what was read before may be old by now. Throws, and so undoes all, when one is at its limit.
 */
async function take(
  tx: Transaction<Database>,
  coupons: ReadonlyMap<string, StoredCoupon>,
  ids: readonly string[],
  userId: string,
): Promise<void> {
  const all = await sql<{ id: string }>`
    with locked as materialized (
      select * from coupons where id = any(${ids}::uuid[]) order by id for update
    )
    update coupons c set held_count = c.held_count + 1
      from locked l
     where c.id = l.id and l.is_active and (l.usage_limit is null or l.held_count + l.redeemed_count < l.usage_limit)
    returning c.id`.execute(tx)
  const spent = ids.find((id) => !all.rows.some((row) => row.id === id))
  if (spent) throw refused(coupons.get(spent)!.code, 'coupon_exhausted')
  const own = await sql<{ coupon_id: string }>`
    insert into coupon_user_counts as u (coupon_id, user_id, uses)
    select id, ${userId}::uuid, 1 from unnest(${ids}::uuid[]) as wanted (id)
    on conflict (coupon_id, user_id) do update set uses = u.uses + 1
     where u.uses < coalesce((select per_user_limit from coupons where id = u.coupon_id), u.uses + 1)
    returning coupon_id`.execute(tx)
  const personal = ids.find((id) => !own.rows.some((row) => row.coupon_id === id))
  if (personal) throw refused(coupons.get(personal)!.code, 'coupon_user_limit')
}
