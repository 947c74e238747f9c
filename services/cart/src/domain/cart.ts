import { exhausted, failedPrecondition, invalid, notFound } from '@haat/kit/errors'

/** Lines a cart may have. */
export const MAX_LINES = 100
/** Units of one SKU. */
export const MAX_QTY = 10_000
export const MAX_CODES = 5

export type Item = {
  sku: string
  productId: string
  vendorId: string
  title: string
  image: string
  /** Pairs, because an option's name may hold characters that a document's field may not. */
  optionValues: { name: string; value: string }[]
  qty: number
  /** Minor units in the cart's currency. */
  priceAtAdd: bigint
  /** The cart's version that brought the line; set when the cart is written. */
  since?: number
}

/** What a customer put together. `currency` is empty exactly when there are no items. */
export type Contents = { items: Item[]; couponCodes: string[]; currency: string }

export const nothing: Contents = { items: [], couponCodes: [], currency: '' }

export const qtyOf = (cart: Contents, sku: string): number => cart.items.find((item) => item.sku === sku)?.qty ?? 0

export const insufficient = (sku: string, available: number) =>
  failedPrecondition('stock_insufficient', 'not enough stock', { sku, available })

/** Adds units at the price of now; what the line said before of price and looks is replaced. */
export function addUnits(cart: Contents, item: Item, currency: string, available: number): Contents {
  const qty = qtyOf(cart, item.sku) + item.qty
  const others = cart.items.filter((other) => other.sku !== item.sku)
  if (others.length && cart.currency !== currency)
    throw failedPrecondition('currency_mismatch', 'a cart has one currency', { currency: cart.currency })
  if (others.length >= MAX_LINES) throw exhausted('cart_full', `a cart has at most ${MAX_LINES} lines`)
  if (qty > MAX_QTY) throw invalid('qty_invalid', `at most ${MAX_QTY} of one SKU`, { max: MAX_QTY })
  if (qty > available) throw insufficient(item.sku, available)
  const line = { ...item, qty }
  const items =
    others.length < cart.items.length
      ? cart.items.map((other) => (other.sku === item.sku ? line : other))
      : [...cart.items, line]
  return { ...cart, items, currency }
}

/** Sets a line's quantity. */
export function setQty(cart: Contents, sku: string, qty: number): Contents {
  if (!cart.items.some((item) => item.sku === sku)) throw notFound('cart_item_not_found', 'no such line')
  return { ...cart, items: cart.items.map((item) => (item.sku === sku ? { ...item, qty } : item)) }
}

/** Takes lines out; unknown SKUs are fine. */
export const removeSkus = (cart: Contents, skus: readonly string[]): Contents =>
  normal({ ...cart, items: cart.items.filter((item) => !skus.includes(item.sku)) })

/**
 * The owner's cart with another's lines and coupons: quantities add up to at most 10,000, lines in another currency or
 * beyond 100 are left out. The owner's own lines keep their price and place.
 */
export function merge(own: Contents, other: Contents): Contents {
  const items = own.items.map((item) => ({ ...item }))
  const currency = own.currency || other.currency
  if (other.currency === currency)
    for (const item of other.items) {
      const same = items.find((candidate) => candidate.sku === item.sku)
      if (same) same.qty = Math.min(MAX_QTY, same.qty + item.qty)
      else if (items.length < MAX_LINES) items.push({ ...item })
    }
  const couponCodes = [...new Set([...own.couponCodes, ...other.couponCodes])].slice(0, MAX_CODES)
  return normal({ items, couponCodes, currency })
}

/**
 * What stays in the cart when these quantities and codes of its version `version` have become an order. A line that came later
 * is another wish for the same thing.
 */
export function takeOrdered(
  cart: Contents,
  ordered: ReadonlyMap<string, number>,
  codes: readonly string[],
  version: number,
): Contents {
  const taken = ({ sku, since = 0 }: Item) => (since > version ? 0 : (ordered.get(sku) ?? 0))
  const items = cart.items.map((item) => ({ ...item, qty: item.qty - taken(item) })).filter((item) => item.qty > 0)
  return normal({ ...cart, items, couponCodes: cart.couponCodes.filter((code) => !codes.includes(code)) })
}

const normal = (cart: Contents): Contents => (cart.items.length ? cart : { ...cart, currency: '' })

export type Wish = { item: Item; currency: string; sellable: boolean; available: number }
export type Skipped = { sku: string; title: string; qty: number; reason: string }

/** Adds as much of each wish as can be had; tells what was left out, and why. */
export function addWishes(cart: Contents, wishes: readonly Wish[]): { cart: Contents; skipped: Skipped[] } {
  const skipped: Skipped[] = []
  for (const { item, currency, sellable, available } of wishes) {
    const skip = (qty: number, reason: string) => skipped.push({ sku: item.sku, title: item.title, qty, reason })
    const own = qtyOf(cart, item.sku)
    const qty = Math.max(0, Math.min(item.qty, available - own, MAX_QTY - own))
    const others = cart.items.filter((other) => other.sku !== item.sku).length
    if (!sellable) skip(item.qty, 'variant_unavailable')
    else if (others > 0 && cart.currency !== currency) skip(item.qty, 'currency_mismatch')
    else if (others >= MAX_LINES) skip(item.qty, 'cart_full')
    else {
      if (qty > 0) cart = addUnits(cart, { ...item, qty }, currency, available)
      if (qty < item.qty) skip(item.qty - qty, available - own < MAX_QTY - own ? 'stock_insufficient' : 'cart_full')
    }
  }
  return { cart, skipped }
}
