import type { VendorAllocation } from '@haat/proto/payment/v1/payment'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Allocation,
  allocationsFromJson,
  allocationsToJson,
  foreignParts,
  readAllocations,
} from './allocations.ts'
import {
  type Entry,
  feeEntries,
  payoutEntries,
  refundEntries,
  saleEntries,
  suspenseEntries,
  unevenCurrencies,
} from './postings.ts'

const minor = fc.bigInt({ min: 0n, max: 10n ** 12n })

/** Allocations that keep the contract's rules. */
const allocation: fc.Arbitrary<Allocation> = fc
  .record({
    vendorOrderId: fc.uuid(),
    vendorId: fc.uuid(),
    net: minor,
    shipping: minor,
    vendorFundedDiscount: minor,
    platformFundedDiscount: minor,
    tax: minor,
    commission: minor,
    pricesIncludeTax: fc.boolean(),
  })
  .map(({ net, ...rest }) => {
    // Goods are worth at least their discounts, so that nothing charged is negative.
    const goods = net + rest.vendorFundedDiscount + rest.platformFundedDiscount
    const onTop = rest.pricesIncludeTax ? 0n : rest.tax
    const charged = goods + rest.shipping + onTop - rest.vendorFundedDiscount - rest.platformFundedDiscount
    return { ...rest, goods, charged, vendorNet: charged + rest.platformFundedDiscount - rest.tax - rest.commission }
  })
const allocations = fc.uniqueArray(allocation, { minLength: 1, maxLength: 6, selector: (one) => one.vendorOrderId })

const sums = (entries: readonly Entry[]): Map<string, bigint> => {
  const found = new Map<string, bigint>()
  for (const { account, amount } of entries) found.set(account, (found.get(account) ?? 0n) + amount)
  return found
}
const charged = (parts: readonly Allocation[]) => parts.reduce((sum, part) => sum + part.charged, 0n)
const asMessage = (part: Allocation): VendorAllocation =>
  Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      typeof value === 'bigint' ? { currency: 'USD', minor: value } : value,
    ]),
  ) as unknown as VendorAllocation

test('every sale and every refund sums to 0, moves exactly what the customer pays, and has no empty posting', () => {
  fc.assert(
    fc.property(allocations, (parts) => {
      const sale = saleEntries('stripe', 'USD', parts)
      expect(unevenCurrencies(sale)).toEqual([])
      expect(sale.every((entry) => entry.amount !== 0n)).toBe(true)
      expect(sums(sale).get('provider_clearing:stripe') ?? 0n).toBe(charged(parts))
      for (const { vendorId } of parts) {
        const net = parts.filter((part) => part.vendorId === vendorId).reduce((sum, part) => sum + part.vendorNet, 0n)
        expect(sums(sale).get(`vendor_payable:${vendorId}`) ?? 0n).toBe(-net)
      }
      const back = refundEntries('stripe', 'USD', parts)
      expect(unevenCurrencies(back)).toEqual([])
      for (const total of sums([...sale, ...back]).values()) expect(total).toBe(0n)
    }),
    { numRuns: 500 },
  )
})

test('refunds that together turn back a whole sale leave every account where it was', () => {
  fc.assert(
    fc.property(allocations, fc.integer({ min: 1, max: 97 }), (parts, percent) => {
      const fields = [
        'goods',
        'shipping',
        'vendorFundedDiscount',
        'platformFundedDiscount',
        'tax',
        'commission',
        'charged',
        'vendorNet',
      ] as const
      const split = (part: Allocation, take: (value: bigint) => bigint): Allocation => ({
        ...part,
        ...Object.fromEntries(fields.map((field) => [field, take(part[field])])),
      })
      const share = (value: bigint) => (value * BigInt(percent)) / 100n
      // Two halves that add up field by field; rounding may break their inner rules, the postings still add up.
      const first = parts.map((part) => split(part, share))
      const second = parts.map((part) => split(part, (value) => value - share(value)))
      const all = [
        ...saleEntries('stripe', 'USD', parts),
        ...refundEntries('stripe', 'USD', first),
        ...refundEntries('stripe', 'USD', second),
      ]
      for (const total of sums(all).values()) expect(total).toBe(0n)
    }),
    { numRuns: 300 },
  )
})

test('payouts, fees and suspense sum to 0 and touch the provider by exactly their amount', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 15n }), fc.uuid(), (amount, vendorId) => {
      for (const [entries, moved] of [
        [payoutEntries('stripe', 'BDT', vendorId, amount), -amount],
        [feeEntries('stripe', 'BDT', amount), -amount],
        [suspenseEntries('stripe', 'BDT', -amount), -amount],
      ] as const) {
        expect(unevenCurrencies(entries)).toEqual([])
        expect(sums(entries).get('provider_clearing:stripe')).toBe(moved)
      }
      expect(feeEntries('stripe', 'BDT', 0n)).toEqual([])
    }),
  )
})

test('allocations are read in a fixed order, survive the database, and any single cent moved is noticed', () => {
  fc.assert(
    fc.property(
      allocations,
      fc.constantFrom('charged', 'vendorNet', 'goods', 'tax', 'commission'),
      fc.boolean(),
      (parts, field, up) => {
        const amount = { currency: 'USD', minor: charged(parts) }
        const read = readAllocations(amount, parts.map(asMessage))
        expect(readAllocations(amount, [...parts].reverse().map(asMessage))).toEqual(read)
        expect(allocationsFromJson(JSON.parse(allocationsToJson(read)))).toEqual(read)
        expect(foreignParts(read, read)).toEqual([])
        const [first, ...rest] = parts
        const moved = { ...first!, [field]: first![field as 'charged'] + (up ? 1n : -1n) }
        expect(() => readAllocations(amount, [moved, ...rest].map(asMessage))).toThrow(
          expect.objectContaining({ code: 'allocation_unbalanced' }),
        )
      },
    ),
    { numRuns: 300 },
  )
})
