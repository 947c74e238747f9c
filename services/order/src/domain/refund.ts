import { money } from '@haat/money/money'
import { multiplyRatio } from '@haat/money/ratio'
import { discountOf, type Parts, subtractParts } from './parts.ts'

/** A sold line: the parts of all its units together. */
export type SoldUnits = { qty: number; parts: Parts }

/**
 * What units `from` + 1 to `to` of a line are worth. Each part is the difference of two cumulative values, so refunds of any
 * sizes sum to the line exactly. Discounts round before their split and tax follows the discounted amount, so that no
 * refund has a negative part.
 */
export const refundOf = (line: SoldUnits, from: number, to: number): Parts =>
  subtractParts(upTo(line, to), upTo(line, from))

/** What the first `units` of a line are worth together. */
function upTo({ qty, parts }: SoldUnits, units: number): Parts {
  if (!Number.isInteger(units) || units < 0 || units > qty) throw new RangeError(`${units} of ${qty} units`)
  const share = (part: bigint) => ratio(part, BigInt(units), BigInt(qty))
  const gross = share(parts.gross)
  const wholeDiscount = discountOf(parts)
  const discount = share(wholeDiscount)
  const vendorFunded = ratio(parts.vendorFunded, discount, wholeDiscount)
  const wholeNet = parts.gross - wholeDiscount
  return {
    gross,
    vendorFunded,
    platformFunded: discount - vendorFunded,
    tax: wholeNet === 0n ? share(parts.tax) : ratio(parts.tax, gross - discount, wholeNet),
    commission: share(parts.commission),
  }
}

// The currency plays no part in a ratio; only the rounding does.
const ratio = (part: bigint, of: bigint, whole: bigint): bigint =>
  whole === 0n ? 0n : multiplyRatio(money('XXX', part), of, whole).minor
