/**
 * What a line or a delivery charge is made of; minor units of one currency, none negative. `gross` is before discounts,
 * `tax` is inside the amount or on top of it, a delivery charge has no commission.
 */
export type Parts = { gross: bigint; vendorFunded: bigint; platformFunded: bigint; tax: bigint; commission: bigint }

export const nothing: Parts = { gross: 0n, vendorFunded: 0n, platformFunded: 0n, tax: 0n, commission: 0n }

const combine = (left: Parts, right: Parts, with_: (a: bigint, b: bigint) => bigint): Parts => ({
  gross: with_(left.gross, right.gross),
  vendorFunded: with_(left.vendorFunded, right.vendorFunded),
  platformFunded: with_(left.platformFunded, right.platformFunded),
  tax: with_(left.tax, right.tax),
  commission: with_(left.commission, right.commission),
})

export const addParts = (left: Parts, right: Parts): Parts => combine(left, right, (a, b) => a + b)
export const subtractParts = (left: Parts, right: Parts): Parts => combine(left, right, (a, b) => a - b)
export const sumParts = (all: Iterable<Parts>): Parts => [...all].reduce(addParts, nothing)

export const discountOf = (parts: Parts): bigint => parts.vendorFunded + parts.platformFunded

/** What the customer pays: gross - discounts, plus tax when prices do not include it. */
export const amountOf = (parts: Parts, taxIncluded: boolean): bigint =>
  parts.gross - discountOf(parts) + (taxIncluded ? 0n : parts.tax)

/** What the vendor earns: amount + platform-funded discount - tax - commission; may be negative. */
export const vendorNetOf = (parts: Parts, taxIncluded: boolean): bigint =>
  amountOf(parts, taxIncluded) + parts.platformFunded - parts.tax - parts.commission
