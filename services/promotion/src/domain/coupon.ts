import { invalid } from '@haat/kit/errors'
import type { Money } from '@haat/money/money'

export type Scope = { type: 'vendor' | 'category' | 'product' | 'user'; refId: string }

/** What decides whether a coupon applies and what it takes off. */
export type Coupon = {
  id: string
  code: string
  type: 'percent' | 'fixed' | 'free_shipping'
  /** Basis points, minor units or 0. */
  value: bigint
  /** Undefined: any. */
  currency: string | undefined
  minOrderAmount: bigint | undefined
  maxDiscount: bigint | undefined
  startsAt: Date | undefined
  endsAt: Date | undefined
  usageLimit: number | undefined
  perUserLimit: number | undefined
  fundedBy: 'platform' | 'vendor'
  vendorId: string | undefined
  stackable: boolean
  isActive: boolean
  scopes: readonly Scope[]
  /** Held and redeemed usages of everybody. */
  uses: number
}

export type Reason =
  | 'coupon_not_found'
  | 'coupon_inactive'
  | 'coupon_not_started'
  | 'coupon_expired'
  | 'coupon_exhausted'
  | 'coupon_user_limit'
  | 'coupon_sign_in_required'
  | 'coupon_not_for_user'
  | 'coupon_scope_mismatch'
  | 'coupon_min_order'
  | 'coupon_currency_mismatch'
  | 'coupon_not_stackable'

/** Codes are compared without case and stored in upper case. */
export const normalCode = (code: string): string => code.toUpperCase()

/**
 * Why a coupon cannot be used now by this person in this currency, whatever they buy. `usesByUser` are the person's own
 * held and redeemed usages.
 */
export function refusal(
  coupon: Coupon,
  at: { now: Date; userId: string | undefined; usesByUser: number; currency: string },
): Reason | undefined {
  if (!coupon.isActive) return 'coupon_inactive'
  if (coupon.startsAt && at.now < coupon.startsAt) return 'coupon_not_started'
  if (coupon.endsAt && at.now >= coupon.endsAt) return 'coupon_expired'
  const people = coupon.scopes.filter((scope) => scope.type === 'user')
  if (at.userId === undefined && (people.length || coupon.perUserLimit !== undefined)) return 'coupon_sign_in_required'
  if (people.length && !people.some((scope) => scope.refId === at.userId)) return 'coupon_not_for_user'
  if (coupon.currency !== undefined && coupon.currency !== at.currency) return 'coupon_currency_mismatch'
  if (coupon.usageLimit !== undefined && coupon.uses >= coupon.usageLimit) return 'coupon_exhausted'
  if (coupon.perUserLimit !== undefined && at.usesByUser >= coupon.perUserLimit) return 'coupon_user_limit'
  return undefined
}

/** What staff or a vendor may choose, checked as a whole; throws INVALID_ARGUMENT. */
export type CouponTerms = {
  type: Coupon['type']
  percentBps: number
  amount: Money | undefined
  minOrderAmount: Money | undefined
  maxDiscount: Money | undefined
}

/** The stored value and currency of a coupon's terms. `coupon_value_invalid` when type, value and amounts do not fit. */
export function readTerms(terms: CouponTerms): { value: bigint; currency: string | undefined } {
  const wrong = (message: string) => invalid('coupon_value_invalid', message)
  if ((terms.type === 'percent') !== terms.percentBps > 0) throw wrong('percent_bps belongs to a percent coupon')
  if ((terms.type === 'fixed') !== (terms.amount !== undefined)) throw wrong('amount belongs to a fixed coupon')
  const amounts = [terms.amount, terms.minOrderAmount, terms.maxDiscount].filter((amount) => amount !== undefined)
  if (amounts.some((amount) => amount.minor <= 0n)) throw wrong('amounts are greater than 0')
  const [first] = amounts
  if (amounts.some((amount) => amount.currency !== first?.currency)) throw wrong('all amounts have one currency')
  return { value: terms.amount?.minor ?? BigInt(terms.percentBps), currency: first?.currency }
}

/** `coupon_window_invalid` when a coupon would end before it starts. */
export function checkWindow(startsAt: Date | null | undefined, endsAt: Date | null | undefined): void {
  if (startsAt && endsAt && endsAt <= startsAt) throw invalid('coupon_window_invalid', 'ends_at is after starts_at')
}

/** `coupon_scope_invalid` when a vendor's coupon names another vendor: it would never apply. */
export function checkScopes(scopes: readonly Scope[], vendorId: string | null | undefined): void {
  if (vendorId && scopes.some((scope) => scope.type === 'vendor' && scope.refId !== vendorId))
    throw invalid('coupon_scope_invalid', "a vendor's coupon applies to its own goods only")
}
