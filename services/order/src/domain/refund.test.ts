import fc from 'fast-check'
import { expect, test } from 'vitest'
import { amountOf, nothing, type Parts, sumParts, vendorNetOf } from './parts.ts'
import { refundOf } from './refund.ts'
import { taxOf } from './tax.ts'

/** Any sold line that a cart can produce: discounts within the goods, tax of the discounted amount. */
const line = fc
  .record({
    qty: fc.integer({ min: 1, max: 40 }),
    price: fc.bigInt({ min: 0n, max: 100_000n }),
    vendorShare: fc.integer({ min: 0, max: 1000 }),
    platformShare: fc.integer({ min: 0, max: 1000 }),
    taxBps: fc.integer({ min: 0, max: 10_000 }),
    commissionBps: fc.integer({ min: 0, max: 5_000 }),
    included: fc.boolean(),
  })
  .map(({ qty, price, vendorShare, platformShare, taxBps, commissionBps, included }) => {
    const gross = price * BigInt(qty)
    const vendorFunded = (gross * BigInt(vendorShare)) / 1000n
    const platformFunded = ((gross - vendorFunded) * BigInt(platformShare)) / 1000n
    const net = { currency: 'BDT', minor: gross - vendorFunded - platformFunded }
    const tax = taxOf(net, taxBps, included).minor
    const commission = ((gross - vendorFunded) * BigInt(commissionBps)) / 10_000n
    return { qty, included, parts: { gross, vendorFunded, platformFunded, tax, commission } satisfies Parts }
  })

/** A line, and the sizes of the refunds that take it apart. */
const takenApart = line.chain((sold) =>
  fc.record({
    sold: fc.constant(sold),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: sold.qty }), { maxLength: sold.qty }),
  }),
)

test('however a line is refunded, its refunds sum to the line in every part', () => {
  fc.assert(
    fc.property(takenApart, ({ sold, cuts }) => {
      const stops = [...new Set([...cuts, sold.qty])].sort((a, b) => a - b)
      const refunds = stops.map((to, index) => refundOf(sold, stops[index - 1] ?? 0, to))
      expect(sumParts(refunds)).toEqual(sold.parts)
    }),
    { numRuns: 1000 },
  )
})

test('no refund has a negative part, gives more than was paid, or more tax than the amount that contains it', () => {
  fc.assert(
    fc.property(line, (sold) => {
      for (let unit = 0; unit < sold.qty; unit++) {
        const refund = refundOf(sold, unit, unit + 1)
        expect(Object.values(refund).every((part) => part >= 0n)).toBe(true)
        expect(amountOf(refund, sold.included)).toBeGreaterThanOrEqual(0n)
        expect(amountOf(refund, sold.included)).toBeLessThanOrEqual(amountOf(sold.parts, sold.included))
        if (sold.included) expect(refund.tax).toBeLessThanOrEqual(amountOf(refund, true))
      }
    }),
    { numRuns: 300 },
  )
})

test('the customer’s and the vendor’s refunds sum to what was charged and earned', () => {
  fc.assert(
    fc.property(line, (sold) => {
      const units = Array.from({ length: sold.qty }, (_, unit) => refundOf(sold, unit, unit + 1))
      const sum = (of: (parts: Parts, included: boolean) => bigint) =>
        units.reduce((all, unit) => all + of(unit, sold.included), 0n)
      expect(sum(amountOf)).toBe(amountOf(sold.parts, sold.included))
      expect(sum(vendorNetOf)).toBe(vendorNetOf(sold.parts, sold.included))
    }),
    { numRuns: 300 },
  )
})

test('a discount that does not divide leaves the odd unit to one refund', () => {
  const sold = { qty: 3, parts: { ...nothing, gross: 300n, platformFunded: 100n } }
  expect([0, 1, 2].map((unit) => refundOf(sold, unit, unit + 1).platformFunded)).toEqual([33n, 34n, 33n])
})

test('more units than were sold are refused', () => {
  expect(() => refundOf({ qty: 2, parts: nothing }, 1, 3)).toThrow(RangeError)
})
