import { allocate } from '@haat/money/allocate'
import { subtract, sum } from '@haat/money/arithmetic'
import { clamp, min } from '@haat/money/compare'
import { type Money, money, zero } from '@haat/money/money'
import { applyBps } from '@haat/money/ratio'
import { type Coupon, type Reason, refusal } from './coupon.ts'

export type Line = {
  lineId: string
  vendorId: string
  productId: string
  categoryIds: readonly string[]
  amount: Money
}
export type Delivery = { vendorId: string; amount: Money }
export type Basket = {
  currency: string
  lines: readonly Line[]
  deliveries: readonly Delivery[]
  userId: string | undefined
  now: Date
}
/** A code as asked, with the coupon it names and how often the person has used that coupon. */
export type Asked = { code: string; coupon: Coupon | undefined; usesByUser: number }

export type Verdict = { reason: Reason | undefined; discount: Money }
export type Split = { vendorFunded: Money; platformFunded: Money }
/** Everything as asked, in the same order. */
export type Quote = { coupons: Verdict[]; lines: Split[]; deliveries: Split[] }

/**
 * What codes take off a basket. A code is refused for a reason of its own, or because an earlier one does not share.
 * The accepted apply vendor-funded first, then by code; each works on what the ones before left, and never below zero.
 */
export function quote(asked: readonly Asked[], basket: Basket): Quote {
  const reasons = judge(asked, basket)
  const lines = basket.lines.map((line) => untouched(line.amount))
  const deliveries = basket.deliveries.map((delivery) => untouched(delivery.amount))
  const discounts = asked.map(() => zero(basket.currency))
  const accepted = asked
    .flatMap(({ coupon }, index) => (coupon && reasons[index] === undefined ? [{ coupon, index }] : []))
    .sort((a, b) => byTurn(a.coupon, b.coupon))
  for (const { coupon, index } of accepted) {
    const goods = basket.lines.map((line) => inScope(coupon, line))
    if (coupon.type === 'free_shipping') {
      const vendors = new Set(basket.lines.filter((_, i) => goods[i]).map((line) => line.vendorId))
      const served = deliveries.filter((_, i) => vendors.has(basket.deliveries[i]!.vendorId))
      discounts[index] = take(coupon, served, basket.currency)
    } else {
      discounts[index] = take(
        coupon,
        lines.filter((_, i) => goods[i]),
        basket.currency,
      )
    }
  }
  return {
    coupons: asked.map((_, i) => ({ reason: reasons[i], discount: discounts[i]! })),
    lines: lines.map(({ vendorFunded, platformFunded }) => ({ vendorFunded, platformFunded })),
    deliveries: deliveries.map(({ vendorFunded, platformFunded }) => ({ vendorFunded, platformFunded })),
  }
}

/** A line counts for a coupon when each scope type the coupon lists (people aside) has an id that matches. */
export function inScope(coupon: Coupon, line: Line): boolean {
  if (coupon.vendorId !== undefined && coupon.vendorId !== line.vendorId) return false
  const matches = (type: 'vendor' | 'category' | 'product', ids: readonly string[]) => {
    const wanted = coupon.scopes.filter((scope) => scope.type === type)
    return wanted.length === 0 || wanted.some((scope) => ids.includes(scope.refId))
  }
  return (
    matches('vendor', [line.vendorId]) && matches('category', line.categoryIds) && matches('product', [line.productId])
  )
}

// The first code that stands decides who may join it, so that adding a code never takes away what another one gave.
function judge(asked: readonly Asked[], basket: Basket): (Reason | undefined)[] {
  const standing: Coupon[] = []
  return asked.map(({ coupon, usesByUser }) => {
    if (!coupon) return 'coupon_not_found'
    const reason = refusal(coupon, { ...basket, usesByUser }) ?? refusalOfLines(coupon, basket)
    if (reason) return reason
    const alone = standing.length === 0
    const twice = standing.some((other) => other.id === coupon.id)
    if (twice || (!alone && !(coupon.stackable && standing.every((other) => other.stackable))))
      return 'coupon_not_stackable'
    standing.push(coupon)
    return undefined
  })
}

function refusalOfLines(coupon: Coupon, basket: Basket): Reason | undefined {
  const lines = basket.lines.filter((line) => inScope(coupon, line))
  if (lines.length === 0) return 'coupon_scope_mismatch'
  const total = sum(
    basket.currency,
    lines.map((line) => line.amount),
  )
  if (coupon.minOrderAmount !== undefined && total.minor < coupon.minOrderAmount) return 'coupon_min_order'
  return undefined
}

const byTurn = (a: Coupon, b: Coupon): number => {
  if (a.fundedBy !== b.fundedBy) return a.fundedBy === 'vendor' ? -1 : 1
  return a.code < b.code ? -1 : 1
}

/** A charge on which coupons work one after the other. */
type Charge = Split & { left: Money }

const untouched = (amount: Money): Charge => ({
  left: amount,
  vendorFunded: zero(amount.currency),
  platformFunded: zero(amount.currency),
})

/** Takes the coupon off these charges, split by largest remainder over what is left of each; answers the sum. */
function take(coupon: Coupon, charges: Charge[], currency: string): Money {
  const left = sum(
    currency,
    charges.map((charge) => charge.left),
  )
  if (charges.length === 0 || left.minor === 0n) return zero(currency)
  const wish =
    coupon.type === 'percent'
      ? applyBps(left, coupon.value)
      : coupon.type === 'fixed'
        ? min(money(currency, coupon.value), left)
        : left
  const most = coupon.maxDiscount === undefined ? undefined : money(currency, coupon.maxDiscount)
  const discount = clamp(wish, { max: most })
  const parts = allocate(
    discount,
    charges.map((charge) => charge.left.minor),
  )
  charges.forEach((charge, i) => {
    const part = parts[i]!
    const payer = coupon.fundedBy === 'vendor' ? 'vendorFunded' : 'platformFunded'
    charge.left = subtract(charge.left, part)
    charge[payer] = money(currency, charge[payer].minor + part.minor)
  })
  return discount
}
