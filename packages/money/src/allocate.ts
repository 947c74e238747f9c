import { type Money, money } from './money.ts'

/**
 * Divides an amount in proportion to the weights, by largest remainder: everyone gets the exact share rounded towards
 * zero, then the units left over go one each to the largest remainders.
 *
 * - The parts sum to the amount, and each is less than one unit from its exact share.
 * - Equal remainders are served lowest index first, so the same input always gives the same parts.
 * - A negative amount gives exactly the negatives of the parts of its opposite.
 * - A weight of zero gets nothing, unless all weights are zero: then all count as equal.
 */
export function allocate(amount: Money, weights: readonly bigint[]): Money[] {
  if (weights.length === 0) throw new RangeError('nothing to allocate to')
  if (weights.some((weight) => weight < 0n)) throw new RangeError('weights are not negative')

  const given = weights.reduce((total, weight) => total + weight, 0n)
  const shares = given === 0n ? weights.map(() => 1n) : weights
  const total = given === 0n ? BigInt(weights.length) : given
  const sign = amount.minor < 0n ? -1n : 1n
  const whole = sign * amount.minor

  const parts = shares.map((share, index) => {
    const scaled = whole * share
    return { index, minor: scaled / total, remainder: scaled % total }
  })
  const leftOver = Number(parts.reduce((rest, part) => rest - part.minor, whole))
  // Array.sort is stable, which is what makes the lowest index win a tie.
  const neediest = [...parts].sort((a, b) => (a.remainder === b.remainder ? 0 : a.remainder > b.remainder ? -1 : 1))
  for (const part of neediest.slice(0, leftOver)) part.minor += 1n

  return parts.map((part) => money(amount.currency, sign * part.minor))
}
