import { assertSameCurrency, type Money, money } from './money.ts'

export function add(left: Money, right: Money): Money {
  assertSameCurrency(left, right)
  return money(left.currency, left.minor + right.minor)
}

export function subtract(left: Money, right: Money): Money {
  assertSameCurrency(left, right)
  return money(left.currency, left.minor - right.minor)
}

/** The currency is named because an empty list has none of its own. */
export function sum(currency: string, amounts: Iterable<Money>): Money {
  let minor = 0n
  const total = { currency, minor }
  for (const amount of amounts) {
    assertSameCurrency(total, amount)
    minor += amount.minor
  }
  return money(currency, minor)
}

export function negate(amount: Money): Money {
  return money(amount.currency, -amount.minor)
}

export function absolute(amount: Money): Money {
  return amount.minor < 0n ? negate(amount) : money(amount.currency, amount.minor)
}

/** Multiplies by a whole number, such as a quantity. Fractions go through multiplyRatio, which says how it rounds. */
export function multiply(amount: Money, factor: bigint | number): Money {
  // BigInt(1.5) throws; an integer above 2^53 would pass but may already have lost its last digits.
  if (typeof factor === 'number' && !Number.isSafeInteger(factor)) throw new RangeError(`not a safe integer: ${factor}`)
  return money(amount.currency, amount.minor * BigInt(factor))
}
