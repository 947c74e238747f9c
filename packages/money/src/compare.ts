import { assertSameCurrency, type Money } from './money.ts'

/** -1, 0 or 1, as Array.sort wants it. */
export function compare(left: Money, right: Money): -1 | 0 | 1 {
  assertSameCurrency(left, right)
  if (left.minor === right.minor) return 0
  return left.minor < right.minor ? -1 : 1
}

/** The only comparison that never throws: amounts in different currencies are different amounts. */
export function equals(left: Money, right: Money): boolean {
  return left.currency === right.currency && left.minor === right.minor
}

export function isZero(amount: Money): boolean {
  return amount.minor === 0n
}

export function isNegative(amount: Money): boolean {
  return amount.minor < 0n
}

export function isPositive(amount: Money): boolean {
  return amount.minor > 0n
}

export function min(left: Money, right: Money): Money {
  return compare(left, right) <= 0 ? left : right
}

export function max(left: Money, right: Money): Money {
  return compare(left, right) >= 0 ? left : right
}

/** Keeps an amount within limits, either of which may be absent. */
export function clamp(amount: Money, limits: { min?: Money | undefined; max?: Money | undefined }): Money {
  if (limits.min && limits.max && compare(limits.min, limits.max) > 0) {
    throw new RangeError(`limits are the wrong way round: ${limits.min.minor} > ${limits.max.minor}`)
  }
  const raised = limits.min ? max(amount, limits.min) : amount
  return limits.max ? min(raised, limits.max) : raised
}
