import { invalid } from '@haat/kit/errors'
import type { Money } from '@haat/money/money'
import { FundedBy, type QuoteRequest, type QuoteResponse } from '@haat/proto/promotion/v1/promotion'
import type { PromotionContext } from '../context.ts'
import { findUses, fundedBy, toDomain, withScopes } from '../db/coupons.ts'
import { normalCode } from '../domain/coupon.ts'
import { quote as calculate } from '../domain/quote.ts'

export async function quote(ctx: PromotionContext, request: QuoteRequest): Promise<QuoteResponse> {
  const currency = checkAmounts(request)
  const codes = request.codes.map(normalCode)
  const rows = await withScopes(
    ctx.db,
    await ctx.db.selectFrom('coupons').selectAll().where('code', 'in', codes).execute(),
  )
  const uses = await findUses(
    ctx.db,
    rows.map((row) => row.id),
    request.userId,
  )
  const coupons = new Map(rows.map((row) => [row.code, toDomain(row)]))
  const asked = codes.map((code) => {
    const coupon = coupons.get(code)
    return { code, coupon, usesByUser: uses.get(coupon?.id ?? '') ?? 0 }
  })
  const answer = calculate(asked, {
    currency,
    lines: request.lines.map((line) => ({ ...line, amount: line.amount! })),
    deliveries: request.deliveries.map((delivery) => ({ ...delivery, amount: delivery.amount! })),
    userId: request.userId,
    now: ctx.now(),
  })
  return {
    coupons: asked.map(({ code, coupon }, i) => ({
      code,
      couponId: coupon?.id ?? '',
      accepted: answer.coupons[i]!.reason === undefined,
      reason: answer.coupons[i]!.reason ?? '',
      fundedBy: coupon ? fundedBy.fromName(coupon.fundedBy) : FundedBy.UNSPECIFIED,
      discount: answer.coupons[i]!.discount,
    })),
    lines: request.lines.map((line, i) => ({ lineId: line.lineId, ...answer.lines[i]! })),
    deliveries: request.deliveries.map((delivery, i) => ({ vendorId: delivery.vendorId, ...answer.deliveries[i]! })),
  }
}

/** The one currency of a request whose amounts can be added up. */
function checkAmounts(request: QuoteRequest): string {
  const amounts: Money[] = [...request.lines, ...request.deliveries].map(({ amount }) => amount!)
  const { currency } = amounts[0]!
  if (amounts.some((amount) => amount.currency !== currency))
    throw invalid('currency_mixed', 'all amounts have one currency')
  if (amounts.some((amount) => amount.minor < 0n)) throw invalid('amount_negative', 'amounts are not negative')
  if (new Set(request.lines.map((line) => line.lineId)).size < request.lines.length)
    throw invalid('lines_duplicate', 'a line_id occurs twice')
  if (new Set(request.deliveries.map((delivery) => delivery.vendorId)).size < request.deliveries.length)
    throw invalid('deliveries_duplicate', 'a vendor occurs twice')
  return currency
}
