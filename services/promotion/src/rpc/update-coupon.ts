import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { invalid, notFound } from '@haat/kit/errors'
import type { Money } from '@haat/proto/common/v1/common'
import type { UpdateCouponRequest, UpdateCouponResponse } from '@haat/proto/promotion/v1/promotion'
import type { PromotionContext } from '../context.ts'
import { fromScopes, insertScopes, toCoupon, withScopes } from '../db/coupons.ts'
import { checkScopes, checkWindow } from '../domain/coupon.ts'

export async function updateCoupon(
  ctx: PromotionContext,
  request: UpdateCouponRequest,
  call: Call,
): Promise<UpdateCouponResponse> {
  return ctx.db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom('coupons')
      .selectAll()
      .where('id', '=', request.couponId)
      .forUpdate()
      .executeTakeFirst()
    const own = before?.vendor_id !== null && before?.vendor_id === call.caller.vendorId
    if (!before || !(own || isStaff(call, 'coupons.write'))) throw notFound('coupon_not_found', 'no such coupon')
    const startsAt = request.startsAt ?? before.starts_at
    const endsAt = request.endsAt ?? before.ends_at
    checkWindow(startsAt, endsAt)
    const scopes = request.scopes && fromScopes(request.scopes.scopes)
    if (scopes) checkScopes(scopes, before.vendor_id)
    const after = await tx
      .updateTable('coupons')
      .set({
        description: request.description ?? before.description,
        min_order_amount: changed(before.min_order_amount, request.minOrderAmount, before.currency),
        max_discount: changed(before.max_discount, request.maxDiscount, before.currency),
        starts_at: startsAt,
        ends_at: endsAt,
        usage_limit: limit(before.usage_limit, request.usageLimit),
        per_user_limit: limit(before.per_user_limit, request.perUserLimit),
        stackable: request.stackable ?? before.stackable,
        is_active: request.isActive ?? before.is_active,
        updated_at: ctx.now(),
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow()
    if (scopes) {
      await tx.deleteFrom('coupon_scopes').where('coupon_id', '=', before.id).execute()
      await insertScopes(tx, before.id, scopes)
    }
    const [stored] = await withScopes(tx, [after])
    return { coupon: toCoupon(stored!) }
  })
}

// The currency stays, since usages were counted in it; a coupon without one keeps fitting every cart.
function changed(before: bigint | null, asked: Money | undefined, currency: string | null): bigint | null {
  if (!asked) return before
  if (asked.minor < 0n) throw invalid('coupon_value_invalid', 'amounts are not negative')
  if (asked.minor === 0n) return null
  if (asked.currency !== currency) throw invalid('coupon_value_invalid', "amounts are in the coupon's currency")
  return asked.minor
}

const limit = (before: number | null, asked: number | undefined): number | null =>
  asked === undefined ? before : asked || null
