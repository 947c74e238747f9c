import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { conflict, invalid } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { violatedConstraint } from '@haat/kit/postgres'
import { type CreateCouponRequest, type CreateCouponResponse, FundedBy } from '@haat/proto/promotion/v1/promotion'
import type { PromotionContext } from '../context.ts'
import { couponType, fromScopes, fundedBy, insertScopes, toCoupon, withScopes } from '../db/coupons.ts'
import { checkScopes, checkWindow, normalCode, readTerms } from '../domain/coupon.ts'

export async function createCoupon(
  ctx: PromotionContext,
  request: CreateCouponRequest,
  call: Call,
): Promise<CreateCouponResponse> {
  const vendorId = payer(request, call)
  const type = couponType.toName(request.type)
  const { value, currency } = readTerms({
    type,
    percentBps: request.percentBps,
    amount: request.amount,
    minOrderAmount: request.minOrderAmount,
    maxDiscount: request.maxDiscount,
  })
  checkWindow(request.startsAt, request.endsAt)
  const scopes = fromScopes(request.scopes)
  checkScopes(scopes, vendorId)
  try {
    return await ctx.db.transaction().execute(async (tx) => {
      const row = await tx
        .insertInto('coupons')
        .values({
          id: newId(),
          code: normalCode(request.code),
          description: request.description,
          type,
          value,
          currency: currency ?? null,
          min_order_amount: request.minOrderAmount?.minor ?? null,
          max_discount: request.maxDiscount?.minor ?? null,
          starts_at: request.startsAt ?? null,
          ends_at: request.endsAt ?? null,
          usage_limit: request.usageLimit ?? null,
          per_user_limit: request.perUserLimit ?? null,
          funded_by: fundedBy.toName(request.fundedBy),
          vendor_id: vendorId ?? null,
          stackable: request.stackable,
          is_active: request.isActive,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await insertScopes(tx, row.id, scopes)
      const [stored] = await withScopes(tx, [row])
      return { coupon: toCoupon(stored!) }
    })
  } catch (error) {
    if (violatedConstraint(error) === 'coupons_code_key')
      throw conflict('coupon_code_taken', 'this code exists already')
    throw error
  }
}

/** The vendor that bears the coupon; undefined: the platform does. */
function payer(request: CreateCouponRequest, call: Call): string | undefined {
  const wrong = (message: string) => invalid('coupon_funding_invalid', message)
  const byPlatform = request.fundedBy === FundedBy.PLATFORM
  if (byPlatform && !isStaff(call, 'coupons.write')) throw wrong('a vendor funds its coupons itself')
  if (byPlatform && request.vendorId) throw wrong("the platform's coupon has no vendor")
  if (byPlatform) return undefined
  if (!request.vendorId) throw wrong('a vendor-funded coupon names its vendor')
  return requireVendor(call, request.vendorId, ['coupons.write'])
}
