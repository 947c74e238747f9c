import { money } from '@haat/money/money'
import type { VendorAllocation } from '@haat/proto/payment/v1/payment'
import { addParts, amountOf, type Parts, vendorNetOf } from './parts.ts'

/** Goods and delivery of one vendor order that are paid, or turned back. */
export type VendorShare = { vendorOrderId: string; vendorId: string; goods: Parts; delivery: Parts }

/** A vendor order's part of a payment or a refund, as payment posts it. */
export function allocationOf(share: VendorShare, currency: string, taxIncluded: boolean): VendorAllocation {
  const all = addParts(share.goods, share.delivery)
  return {
    vendorOrderId: share.vendorOrderId,
    vendorId: share.vendorId,
    goods: money(currency, share.goods.gross),
    shipping: money(currency, share.delivery.gross),
    vendorFundedDiscount: money(currency, all.vendorFunded),
    platformFundedDiscount: money(currency, all.platformFunded),
    tax: money(currency, all.tax),
    commission: money(currency, all.commission),
    charged: money(currency, amountOf(all, taxIncluded)),
    vendorNet: money(currency, vendorNetOf(all, taxIncluded)),
    pricesIncludeTax: taxIncluded,
  }
}
