import { invalid } from '@haat/kit/errors'
import { zero } from '@haat/money/money'
import type { CartSummary, CouponResult, DeliveryChoice, Destination } from '@haat/proto/cart/v1/cart'
import type { VariantDetail } from '@haat/proto/catalog/v1/catalog'
import type { CartContext } from '../context.ts'
import type { CartDocument } from '../db/collections.ts'
import type { Contents } from '../domain/cart.ts'
import { revisionOf } from '../domain/revision.ts'
import {
  alive,
  blocks,
  calculate,
  chooseDeliveries,
  couponChanges,
  type Delivery,
  type Discounts,
  discounted,
  noDiscounts,
  noTaxes,
  type Offer,
  type PricedLine,
  parcelsOf,
  priceLines,
  type Rate,
  type Taxes,
  vendorsOf,
} from '../domain/summary.ts'
import { findStock, findVariants } from './goods.ts'

export type SummaryOptions = {
  /** Whose coupons; undefined: nobody is signed in. */
  userId: string | undefined
  destination?: Destination | undefined
  deliveries: readonly DeliveryChoice[]
}

/**
 * Prices a cart out of what its neighbours say now: goods and stock at once, then delivery (needs weights and totals),
 * then coupons (need delivery charges), then tax (of what coupons leave). Only names may be missing.
 */
export async function summaryOf(ctx: CartContext, cart: CartDocument, options: SummaryOptions): Promise<CartSummary> {
  const choices = new Map(options.deliveries.map((choice) => [choice.vendorId, choice.optionId]))
  if (choices.size < options.deliveries.length) throw invalid('deliveries_duplicate', 'a vendor occurs twice')
  if (cart.items.length === 0) return emptySummary(ctx, cart)
  const { currency } = cart
  const skus = cart.items.map((item) => item.sku)
  const names = findVendorNames(ctx, vendorsOf(cart.items))
  const [variants, stock] = await Promise.all([findVariants(ctx, skus), findStock(ctx, skus)])
  const { lines, changes: lineChanges } = priceLines(cart, offersOf(variants), stock)
  const rates = await findRates(ctx, lines, currency, options.destination)
  const { deliveries, changes: deliveryChanges } = chooseDeliveries(vendorsOf(alive(lines)), rates, choices)
  const { coupons, discounts, judged } = await quoteCoupons(ctx, cart, lines, deliveries, options.userId)
  const taxes = await quoteTaxes(ctx, lines, deliveries, discounts, options.destination)

  const changes = [...lineChanges, ...deliveryChanges, ...(judged ? couponChanges(coupons) : [])]
  const summary = {
    cartId: cart._id,
    cartVersion: BigInt(cart.version),
    ...calculate({ currency, lines, deliveries, discounts, taxes, vendorNames: await names }),
    coupons,
    changes,
    blocking: blocks(changes) || alive(lines).length === 0,
  }
  return { ...summary, revision: revisionOf(summary) }
}

function emptySummary(ctx: CartContext, cart: CartDocument): CartSummary {
  const currency = ctx.defaultCurrency
  const summary = {
    cartId: cart._id,
    cartVersion: BigInt(cart.version),
    ...calculate({
      currency,
      lines: [],
      deliveries: [],
      discounts: noDiscounts,
      taxes: noTaxes,
      vendorNames: new Map(),
    }),
    coupons: unjudged(cart, currency),
    changes: [],
    blocking: true,
  }
  return { ...summary, revision: revisionOf(summary) }
}

/** Variants that are on sale, as the calculator takes them. */
export const offersOf = (variants: ReadonlyMap<string, VariantDetail>): Map<string, Offer> =>
  new Map(
    [...variants].flatMap(([sku, variant]) =>
      variant.sellable && variant.price ? [[sku, { ...variant, price: variant.price }] as const] : [],
    ),
  )

/** Living lines as promotion wants them. */
export const quoteLines = (lines: readonly PricedLine[]) =>
  alive(lines).map(({ item, vendorId, offer, subtotal }) => ({
    lineId: item.sku,
    vendorId,
    productId: offer.productId,
    categoryIds: offer.categoryIds.slice(0, 100),
    amount: subtotal,
  }))

async function findVendorNames(ctx: CartContext, vendorIds: string[]): Promise<Map<string, string>> {
  try {
    const { vendors } = await ctx.vendor.batchGetVendors({ vendorIds })
    return new Map(vendors.map((vendor) => [vendor.id, vendor.name]))
  } catch (err) {
    ctx.log.warn({ err }, 'a summary goes without vendor names')
    return new Map()
  }
}

async function findRates(
  ctx: CartContext,
  lines: readonly PricedLine[],
  currency: string,
  destination: Destination | undefined,
): Promise<Map<string, Rate[]>> {
  const parcels = parcelsOf(lines, currency)
  if (!destination || parcels.length === 0) return new Map()
  const answer = await ctx.shipping.getRates({ parcels, destination })
  return new Map(
    answer.parcels.map(({ vendorId, options }) => [
      vendorId,
      options.flatMap((option) => (option.amount?.currency === currency ? [{ ...option, amount: option.amount }] : [])),
    ]),
  )
}

// Without a living line there is nothing to judge a code by, and the lines already stand in the way.
const unjudged = (cart: Contents, currency: string): CouponResult[] =>
  cart.couponCodes.map((code) => ({
    code,
    couponId: '',
    accepted: false,
    reason: 'coupon_scope_mismatch',
    fundedBy: 0,
    discount: zero(currency),
  }))

async function quoteCoupons(
  ctx: CartContext,
  cart: Contents,
  lines: readonly PricedLine[],
  deliveries: readonly Delivery[],
  userId: string | undefined,
): Promise<{ coupons: CouponResult[]; discounts: Discounts; judged: boolean }> {
  const { currency, couponCodes } = cart
  const goods = quoteLines(lines)
  if (couponCodes.length === 0 || goods.length === 0)
    return { coupons: unjudged(cart, currency), discounts: noDiscounts, judged: false }
  const answer = await ctx.promotion.quote({
    codes: couponCodes,
    userId,
    lines: goods,
    deliveries: deliveries.flatMap(({ vendorId, chosen }) => (chosen ? [{ vendorId, amount: chosen.amount }] : [])),
  })
  const none = zero(currency)
  const split = (part: { vendorFunded: typeof none | undefined; platformFunded: typeof none | undefined }) => ({
    vendorFunded: part.vendorFunded ?? none,
    platformFunded: part.platformFunded ?? none,
  })
  return {
    coupons: answer.coupons.map((coupon) => ({ ...coupon, discount: coupon.discount ?? none })),
    discounts: {
      lines: new Map(answer.lines.map((part) => [part.lineId, split(part)])),
      deliveries: new Map(answer.deliveries.map((part) => [part.vendorId, split(part)])),
    },
    judged: true,
  }
}

// No SKU has a colon, so a delivery's line never takes a line's name.
const deliveryLineId = (vendorId: string) => `delivery:${vendorId}`

async function quoteTaxes(
  ctx: CartContext,
  lines: readonly PricedLine[],
  deliveries: readonly Delivery[],
  discounts: Discounts,
  destination: Destination | undefined,
): Promise<Taxes> {
  const goods = alive(lines).map(({ item, offer, subtotal }) => ({
    lineId: item.sku,
    taxClass: offer.taxClass,
    amount: discounted(subtotal, discounts.lines.get(item.sku)).net,
  }))
  if (!destination || goods.length === 0) return noTaxes
  const charges = deliveries.flatMap(({ vendorId, chosen }) =>
    chosen
      ? [
          {
            lineId: deliveryLineId(vendorId),
            taxClass: 'shipping',
            amount: discounted(chosen.amount, discounts.deliveries.get(vendorId)).net,
          },
        ]
      : [],
  )
  const answer = await ctx.order.quoteTax({ country: destination.country, lines: [...goods, ...charges] })
  const taxOf = new Map(answer.lines.map((line) => [line.lineId, line]))
  const read = (lineId: string) => {
    const line = taxOf.get(lineId)
    if (!line?.tax) throw new Error(`no tax was answered for ${lineId}`)
    return { amount: line.tax, bps: line.bps }
  }
  return {
    lines: new Map(goods.map(({ lineId }) => [lineId, read(lineId)])),
    deliveries: new Map(
      deliveries.filter((d) => d.chosen).map(({ vendorId }) => [vendorId, read(deliveryLineId(vendorId))]),
    ),
    included: answer.pricesIncludeTax,
  }
}
