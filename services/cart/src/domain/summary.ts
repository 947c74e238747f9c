import { add, multiply, subtract, sum } from '@haat/money/arithmetic'
import { equals } from '@haat/money/compare'
import { type Money, money, zero } from '@haat/money/money'
import {
  type CartChange,
  ChangeKind,
  type CouponResult,
  type DeliveryCharge,
  type DeliveryOption,
  type SummaryLine,
  type Totals,
  type VendorGroup,
} from '@haat/proto/cart/v1/cart'
import type { Contents, Item } from './cart.ts'

/** A variant as it is on sale now. The only source of a price. */
export type Offer = {
  sku: string
  productId: string
  vendorId: string
  title: string
  imageUrl: string
  optionValues: { [name: string]: string }
  price: Money
  taxClass: string
  weightGrams: number
  categoryIds: string[]
}

/** A line with what is left of it; `offer` is absent when it is gone. */
export type PricedLine = {
  item: Item
  vendorId: string
  offer: Offer | undefined
  available: number
  /** Units that are priced. */
  qty: number
  subtotal: Money
}

const change = (kind: ChangeKind, more: Partial<CartChange>): CartChange => ({
  kind,
  sku: '',
  vendorId: '',
  code: '',
  reason: '',
  ...more,
})

/** Prices every line at the price of now and tells what is different from when it was added. */
export function priceLines(
  cart: Contents,
  offers: ReadonlyMap<string, Offer>,
  stock: ReadonlyMap<string, number>,
): { lines: PricedLine[]; changes: CartChange[] } {
  const changes: CartChange[] = []
  const lines = cart.items.map((item): PricedLine => {
    const { sku } = item
    const found = offers.get(sku)
    // A price in another currency cannot be added up with the rest: as good as gone.
    const offer = found?.price.currency === cart.currency ? found : undefined
    const available = offer ? (stock.get(sku) ?? 0) : 0
    const qty = Math.min(item.qty, available)
    const subtotal = offer ? multiply(offer.price, qty) : zero(cart.currency)
    const vendorId = offer?.vendorId ?? item.vendorId
    if (!offer) changes.push(change(ChangeKind.GONE, { sku }))
    else if (qty === 0) changes.push(change(ChangeKind.OUT_OF_STOCK, { sku }))
    else {
      const oldPrice = money(cart.currency, item.priceAtAdd)
      if (qty < item.qty) changes.push(change(ChangeKind.QUANTITY_REDUCED, { sku, oldQty: item.qty, newQty: qty }))
      if (!equals(oldPrice, offer.price))
        changes.push(change(ChangeKind.PRICE_CHANGED, { sku, oldPrice, newPrice: offer.price }))
    }
    return { item, vendorId, offer, available, qty, subtotal }
  })
  return { lines, changes }
}

/** Lines that count. */
export const alive = (lines: readonly PricedLine[]): (PricedLine & { offer: Offer })[] =>
  lines.filter((line): line is PricedLine & { offer: Offer } => line.offer !== undefined && line.qty > 0)

export const vendorsOf = (lines: readonly { vendorId: string }[]): string[] =>
  [...new Set(lines.map((line) => line.vendorId))].sort()

// What shipping accepts at most; a heavier parcel is above every rate table anyway.
const MAX_GRAMS = 100_000_000

/** One parcel per vendor with living lines. */
export const parcelsOf = (lines: readonly PricedLine[], currency: string) =>
  vendorsOf(alive(lines)).map((vendorId) => {
    const own = alive(lines).filter((line) => line.vendorId === vendorId)
    const grams = own.reduce((total, line) => total + line.offer.weightGrams * line.qty, 0)
    return {
      vendorId,
      weightGrams: Math.min(MAX_GRAMS, grams),
      total: sum(
        currency,
        own.map((line) => line.subtotal),
      ),
      itemCount: own.reduce((total, line) => total + line.qty, 0),
    }
  })

/** A delivery option with its price. */
export type Rate = Omit<DeliveryOption, 'amount'> & { amount: Money }
export type Delivery = { vendorId: string; options: Rate[]; chosen: Rate | undefined }

/** The chosen option of each vendor with living lines: as asked, else the cheapest. None chosen stands in the way. */
export function chooseDeliveries(
  vendorIds: readonly string[],
  rates: ReadonlyMap<string, Rate[]>,
  choices: ReadonlyMap<string, string>,
): { deliveries: Delivery[]; changes: CartChange[] } {
  const deliveries = vendorIds.map((vendorId): Delivery => {
    const options = rates.get(vendorId) ?? []
    const wanted = choices.get(vendorId)
    const chosen = wanted === undefined ? options[0] : options.find((option) => option.optionId === wanted)
    return { vendorId, options, chosen }
  })
  const changes = deliveries
    .filter((delivery) => !delivery.chosen)
    .map(({ vendorId }) => change(ChangeKind.DELIVERY_REQUIRED, { vendorId }))
  return { deliveries, changes }
}

export const couponChanges = (coupons: readonly CouponResult[]): CartChange[] =>
  coupons
    .filter((coupon) => !coupon.accepted)
    .map(({ code, reason }) => change(ChangeKind.COUPON_INVALID, { code, reason }))

export type Split = { vendorFunded: Money; platformFunded: Money }
export type Tax = { amount: Money; bps: number }

/** What coupons take off, by SKU and by vendor (delivery); absent: nothing. */
export type Discounts = { lines: ReadonlyMap<string, Split>; deliveries: ReadonlyMap<string, Split> }
export const noDiscounts: Discounts = { lines: new Map(), deliveries: new Map() }

/** What tax is on lines and deliveries, by SKU and by vendor; absent: none. */
export type Taxes = { lines: ReadonlyMap<string, Tax>; deliveries: ReadonlyMap<string, Tax>; included: boolean }
export const noTaxes: Taxes = { lines: new Map(), deliveries: new Map(), included: false }

/** An amount with what is taken off it; throws when that is more than the amount, which no coupon may do. */
export function discounted(amount: Money, split: Split | undefined): Split & { discount: Money; net: Money } {
  const none = zero(amount.currency)
  const { vendorFunded, platformFunded } = split ?? { vendorFunded: none, platformFunded: none }
  const discount = add(vendorFunded, platformFunded)
  const net = subtract(amount, discount)
  if (vendorFunded.minor < 0n || platformFunded.minor < 0n || net.minor < 0n)
    throw new Error('a discount is negative or more than its amount')
  return { vendorFunded, platformFunded, discount, net }
}

export type Basket = {
  currency: string
  lines: readonly PricedLine[]
  deliveries: readonly Delivery[]
  discounts: Discounts
  taxes: Taxes
  vendorNames: ReadonlyMap<string, string>
}

/** Adds a cart up: lines to vendor groups, groups to totals. Every sum is exact; dead lines count in none. */
export function calculate(basket: Basket): { groups: VendorGroup[]; totals: Totals } {
  const { currency, taxes } = basket
  const groups = vendorsOf(basket.lines).map((vendorId) => groupOf(basket, vendorId))
  const total = (field: 'subtotal' | 'discount' | 'shipping' | 'tax' | 'total') =>
    sum(
      currency,
      groups.map((group) => group[field]!),
    )
  return {
    groups,
    totals: {
      subtotal: total('subtotal'),
      discount: total('discount'),
      shipping: total('shipping'),
      tax: total('tax'),
      total: total('total'),
      pricesIncludeTax: taxes.included,
    },
  }
}

function groupOf(basket: Basket, vendorId: string): VendorGroup {
  const { currency } = basket
  const lines = basket.lines.filter((line) => line.vendorId === vendorId).map((line) => lineOf(basket, line))
  const found = basket.deliveries.find((candidate) => candidate.vendorId === vendorId)
  const delivery = found?.chosen && deliveryOf(basket, vendorId, found.chosen)
  const none = zero(currency)
  const total = (field: 'subtotal' | 'discount' | 'tax' | 'total') =>
    sum(
      currency,
      lines.map((line) => line[field]!),
    )
  const shippingDiscount = delivery ? add(delivery.vendorFundedDiscount!, delivery.platformFundedDiscount!) : none
  return {
    vendorId,
    vendorName: basket.vendorNames.get(vendorId) ?? '',
    lines,
    deliveryOptions: found?.options ?? [],
    delivery,
    subtotal: total('subtotal'),
    discount: add(total('discount'), shippingDiscount),
    shipping: delivery?.amount ?? none,
    tax: add(total('tax'), delivery?.tax ?? none),
    total: add(total('total'), delivery?.total ?? none),
  }
}

function lineOf({ currency, discounts, taxes }: Basket, line: PricedLine): SummaryLine {
  const { item, offer, subtotal } = line
  const { vendorFunded, platformFunded, discount, net } = discounted(subtotal, discounts.lines.get(item.sku))
  const tax = taxes.lines.get(item.sku) ?? { amount: zero(currency), bps: 0 }
  return {
    lineId: item.sku,
    sku: item.sku,
    productId: item.productId,
    vendorId: line.vendorId,
    title: offer?.title ?? item.title,
    image: offer?.imageUrl ?? item.image,
    optionValues: offer?.optionValues ?? Object.fromEntries(item.optionValues.map(({ name, value }) => [name, value])),
    qty: line.qty,
    priceAtAdd: money(currency, item.priceAtAdd),
    unitPrice: offer?.price ?? zero(currency),
    subtotal,
    discount,
    vendorFundedDiscount: vendorFunded,
    platformFundedDiscount: platformFunded,
    tax: tax.amount,
    taxClass: offer?.taxClass ?? '',
    taxBps: tax.bps,
    weightGrams: offer?.weightGrams ?? 0,
    available: line.available,
    categoryIds: offer?.categoryIds ?? [],
    total: taxes.included ? net : add(net, tax.amount),
  }
}

function deliveryOf({ currency, discounts, taxes }: Basket, vendorId: string, chosen: Rate): DeliveryCharge {
  const { vendorFunded, platformFunded, net } = discounted(chosen.amount, discounts.deliveries.get(vendorId))
  const tax = taxes.deliveries.get(vendorId) ?? { amount: zero(currency), bps: 0 }
  return {
    ...chosen,
    vendorFundedDiscount: vendorFunded,
    platformFundedDiscount: platformFunded,
    tax: tax.amount,
    taxBps: tax.bps,
    total: taxes.included ? net : add(net, tax.amount),
  }
}

/** True when something stands in the way of ordering; a new price alone does not. */
export const blocks = (changes: readonly CartChange[]): boolean =>
  changes.some(({ kind }) => kind !== ChangeKind.PRICE_CHANGED)
