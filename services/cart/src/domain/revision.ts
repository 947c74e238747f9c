import { createHash } from 'node:crypto'
import type { Money } from '@haat/money/money'
import type { CartSummary } from '@haat/proto/cart/v1/cart'

/**
 * Hash of everything a summary prices: the same amounts for the same goods, deliveries and coupons give the same text,
 * whatever titles, names, stock levels or options that were not chosen say.
 */
export function revisionOf(summary: Omit<CartSummary, 'revision' | 'cartVersion'>): string {
  const amounts = (...list: (Money | undefined)[]) => list.map((amount) => String(amount?.minor ?? ''))
  const { totals } = summary
  const priced = [
    summary.cartId,
    totals?.total?.currency ?? '',
    totals?.pricesIncludeTax ?? false,
    amounts(totals?.subtotal, totals?.discount, totals?.shipping, totals?.tax, totals?.total),
    summary.groups.map((group) => [
      group.vendorId,
      group.lines.map((line) => [
        line.sku,
        line.qty,
        line.taxBps,
        amounts(line.unitPrice, line.vendorFundedDiscount, line.platformFundedDiscount, line.tax, line.total),
      ]),
      group.delivery && [
        group.delivery.optionId,
        amounts(
          group.delivery.amount,
          group.delivery.vendorFundedDiscount,
          group.delivery.platformFundedDiscount,
          group.delivery.tax,
          group.delivery.total,
        ),
      ],
    ]),
    summary.coupons.map((coupon) => [coupon.code, coupon.couponId, coupon.accepted, amounts(coupon.discount)]),
  ]
  return createHash('sha256').update(JSON.stringify(priced)).digest('base64url')
}
