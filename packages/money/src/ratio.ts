import { type Money, money } from './money.ts'

/**
 * How exact halves round: `half-up` away from zero, `half-even` to the even neighbour. Everything else goes to the
 * nearest unit. Both treat the two signs alike, so a reversal is exactly the negative of what it reverses.
 */
export type Rounding = 'half-up' | 'half-even'

/** amount × numerator / denominator, rounded once. Tax inside a gross price is multiplyRatio(gross, bps, 10_000 + bps). */
export function multiplyRatio(
  amount: Money,
  numerator: bigint | number,
  denominator: bigint | number,
  rounding: Rounding = 'half-up',
): Money {
  return money(amount.currency, divide(amount.minor * integer(numerator), integer(denominator), rounding))
}

/** A rate in basis points of an amount; 10,000 bps is the whole. */
export function applyBps(amount: Money, bps: bigint | number, rounding: Rounding = 'half-up'): Money {
  return multiplyRatio(amount, bps, 10_000n, rounding)
}

function divide(dividend: bigint, divisor: bigint, rounding: Rounding): bigint {
  if (divisor === 0n) throw new RangeError('division by zero')
  const sign = dividend < 0n === divisor < 0n ? 1n : -1n
  const [whole, part] = [magnitude(dividend), magnitude(divisor)]
  const quotient = whole / part
  const twiceRest = (whole % part) * 2n
  const isHalf = twiceRest === part
  const up = isHalf ? rounding === 'half-up' || quotient % 2n === 1n : twiceRest > part
  return sign * (up ? quotient + 1n : quotient)
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}

function integer(value: bigint | number): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`)
  return BigInt(value)
}
