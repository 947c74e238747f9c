import type { Money } from '@haat/money/money'
import type { CartSummary, DeliveryCharge, SummaryLine, VendorGroup } from '@haat/proto/cart/v1/cart'
import type { CommissionQuote } from '@haat/proto/vendor/v1/vendor'
import { addParts, amountOf, discountOf, type Parts, sumParts } from './parts.ts'

export type FrozenLine = {
  productId: string
  sku: string
  title: string
  image: string
  optionValues: Record<string, string>
  qty: number
  price: bigint
  parts: Parts
  taxClass: string
  taxBps: number
  commissionRuleId: string
  commissionRuleVersion: bigint
  weightGrams: number
  categoryIds: string[]
}

export type FrozenDelivery = {
  optionId: string
  label: string
  carrier: string
  serviceLevel: string
  minDays: number
  maxDays: number
  taxBps: number
  parts: Parts
}

export type FrozenVendorOrder = { vendorId: string; lines: FrozenLine[]; delivery: FrozenDelivery }

export type FrozenCoupon = { couponId: string; code: string; discount: bigint }

/** A cart with every number fixed. */
export type FrozenCart = {
  cartId: string
  cartVersion: bigint
  currency: string
  taxIncluded: boolean
  vendorOrders: FrozenVendorOrder[]
  coupons: FrozenCoupon[]
  amounts: FrozenAmounts
}

export type FrozenAmounts = { subtotal: bigint; discount: bigint; shipping: bigint; tax: bigint; total: bigint }

export const goodsOf = (vendorOrder: FrozenVendorOrder): Parts => sumParts(vendorOrder.lines.map((line) => line.parts))
export const allOf = (vendorOrder: FrozenVendorOrder): Parts =>
  addParts(goodsOf(vendorOrder), vendorOrder.delivery.parts)

/** Amounts of goods and delivery as customers read them. */
export function frozenAmounts(goods: Parts, delivery: Parts, taxIncluded: boolean): FrozenAmounts {
  const all = addParts(goods, delivery)
  return {
    subtotal: goods.gross,
    discount: discountOf(all),
    shipping: delivery.gross,
    tax: all.tax,
    total: amountOf(all, taxIncluded),
  }
}

/**
 * Freezes a priced cart with its commission. Everything is added up again: a summary whose numbers do not hold together
 * throws, since an order that does not add up can never be paid out or refunded.
 */
export function freezeCart(summary: CartSummary, quotes: readonly CommissionQuote[]): FrozenCart {
  const totals = expected(summary.totals, 'totals')
  const currency = expected(totals.total, 'total').currency
  const minor = (amount: Money | undefined, what: string): bigint => {
    const { currency: other, minor } = expected(amount, what)
    if (other !== currency) throw new Error(`the cart mixes ${currency} and ${other}: ${what}`)
    return minor
  }
  const quoteOf = new Map(quotes.map((quote) => [quote.lineId, quote]))
  const taxIncluded = totals.pricesIncludeTax

  const freezeLine = (line: SummaryLine): FrozenLine => {
    const quote = expected(quoteOf.get(line.lineId), `commission of ${line.sku}`)
    const price = minor(line.unitPrice, `price of ${line.sku}`)
    const parts = {
      gross: minor(line.subtotal, `subtotal of ${line.sku}`),
      vendorFunded: minor(line.vendorFundedDiscount, `discount of ${line.sku}`),
      platformFunded: minor(line.platformFundedDiscount, `discount of ${line.sku}`),
      tax: minor(line.tax, `tax of ${line.sku}`),
      commission: minor(quote.commission, `commission of ${line.sku}`),
    }
    same(parts.gross, price * BigInt(line.qty), `subtotal of ${line.sku}`)
    sound(parts, taxIncluded, line.sku)
    same(amountOf(parts, taxIncluded), minor(line.total, `total of ${line.sku}`), `total of ${line.sku}`)
    return {
      productId: line.productId,
      sku: line.sku,
      title: line.title,
      image: line.image,
      optionValues: line.optionValues,
      qty: line.qty,
      price,
      parts,
      taxClass: line.taxClass,
      taxBps: line.taxBps,
      commissionRuleId: quote.ruleId,
      commissionRuleVersion: quote.ruleVersion,
      weightGrams: line.weightGrams,
      categoryIds: line.categoryIds,
    }
  }
  const freezeDelivery = (delivery: DeliveryCharge): FrozenDelivery => {
    const parts = {
      gross: minor(delivery.amount, 'delivery'),
      vendorFunded: minor(delivery.vendorFundedDiscount, 'discount of delivery'),
      platformFunded: minor(delivery.platformFundedDiscount, 'discount of delivery'),
      tax: minor(delivery.tax, 'tax of delivery'),
      commission: 0n,
    }
    sound(parts, taxIncluded, 'delivery')
    same(amountOf(parts, taxIncluded), minor(delivery.total, 'total of delivery'), 'total of delivery')
    const { optionId, label, carrier, serviceLevel, minDays, maxDays, taxBps } = delivery
    return { optionId, label, carrier, serviceLevel, minDays, maxDays, taxBps, parts }
  }
  const freezeGroup = (group: VendorGroup): FrozenVendorOrder => {
    const vendorOrder = {
      vendorId: group.vendorId,
      lines: group.lines.map(freezeLine),
      delivery: freezeDelivery(expected(group.delivery, `delivery of ${group.vendorId}`)),
    }
    same(amountOf(allOf(vendorOrder), taxIncluded), minor(group.total, 'total of a vendor'), 'total of a vendor')
    return vendorOrder
  }

  const vendorOrders = summary.groups.map(freezeGroup)
  const goods = sumParts(vendorOrders.map(goodsOf))
  const delivery = sumParts(vendorOrders.map((vendorOrder) => vendorOrder.delivery.parts))
  const amounts = frozenAmounts(goods, delivery, taxIncluded)
  for (const name of ['subtotal', 'discount', 'shipping', 'tax', 'total'] as const)
    same(amounts[name], minor(totals[name], name), name)
  const coupons = summary.coupons
    .filter((coupon) => coupon.accepted)
    .map(({ couponId, code, discount }) => ({ couponId, code, discount: minor(discount, `coupon ${code}`) }))
  const { cartId, cartVersion } = summary
  return { cartId, cartVersion, currency, taxIncluded, vendorOrders, coupons, amounts }
}

function expected<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the cart does not say: ${what}`)
  return value
}

function same(left: bigint, right: bigint, what: string): void {
  if (left !== right) throw new Error(`the cart does not add up: ${what} is ${right}, not ${left}`)
}

function sound(parts: Parts, taxIncluded: boolean, what: string): void {
  const net = parts.gross - discountOf(parts)
  const isSound = Object.values(parts).every((part) => part >= 0n) && net >= 0n && (!taxIncluded || parts.tax <= net)
  if (!isSound) throw new Error(`the cart has impossible amounts: ${what}`)
}
