import { money } from '@haat/money/money'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultOf, optionsFor, priceOf, type Tariff } from './rates.ts'

const tariff = (more: Partial<Tariff> = {}): Tariff => ({
  id: 't',
  vendorId: undefined,
  label: 'Standard',
  carrier: 'table',
  serviceLevel: 'standard',
  basis: 'by_weight',
  countries: ['BD'],
  currency: 'BDT',
  brackets: [
    { upTo: 1_000n, amount: 60n },
    { upTo: 3_000n, amount: 90n },
  ],
  freeFrom: undefined,
  minDays: 2,
  maxDays: 5,
  ...more,
})
const parcel = (weightGrams: number, total = 500n) => ({ vendorId: 'v', weightGrams, total: money('BDT', total) })

test.each([
  [0, 60n],
  [1_000, 60n],
  [1_001, 90n],
  [3_000, 90n],
  [3_001, undefined],
])('a bracket includes its upper end: %i g cost %s', (grams, price) => {
  expect(priceOf(tariff(), parcel(grams))?.minor).toBe(price)
})

test('by total the goods decide, flat nothing does, and 0 has no upper end', () => {
  const byTotal = tariff({
    basis: 'by_total',
    brackets: [
      { upTo: 500n, amount: 10n },
      { upTo: 0n, amount: 5n },
    ],
  })
  expect(priceOf(byTotal, parcel(99_999, 500n))?.minor).toBe(10n)
  expect(priceOf(byTotal, parcel(1, 501n))?.minor).toBe(5n)
  const flat = tariff({ basis: 'flat', brackets: [{ upTo: 0n, amount: 7n }] })
  expect(priceOf(flat, parcel(99_999_999, 1n))?.minor).toBe(7n)
})

test('from its limit on delivery is free, but what is not carried stays so', () => {
  const free = tariff({ freeFrom: 1_000n })
  expect(priceOf(free, parcel(500, 999n))?.minor).toBe(60n)
  expect(priceOf(free, parcel(500, 1_000n))?.minor).toBe(0n)
  expect(priceOf(free, parcel(5_000, 1_000n))).toBeUndefined()
})

test("a vendor's own tariffs win only where they reach, in the parcel's currency", () => {
  const platform = tariff({ id: 'p' })
  const own = tariff({ id: 'o', vendorId: 'v', brackets: [{ upTo: 0n, amount: 999n }] })
  const ids = (tariffs: Tariff[], country = 'BD') => optionsFor(parcel(10), country, tariffs).map((o) => o.optionId)
  expect(ids([platform, own])).toEqual(['table:o'])
  expect(ids([platform, { ...own, countries: ['US'] }])).toEqual(['table:p'])
  expect(ids([platform, { ...own, currency: 'USD' }])).toEqual(['table:p'])
  expect(ids([platform, { ...own, vendorId: 'other' }])).toEqual(['table:p'])
  expect(ids([platform], 'US')).toEqual([])
  expect(ids([{ ...platform, countries: ['*'] }], 'US')).toEqual(['table:p'])
})

test('options come cheapest first, and of equal price the faster first', () => {
  const at = (id: string, amount: bigint, maxDays: number) => tariff({ id, maxDays, brackets: [{ upTo: 0n, amount }] })
  const options = optionsFor(parcel(1), 'BD', [at('slow', 50n, 9), at('dear', 80n, 1), at('fast', 50n, 3)])
  expect(options.map((o) => o.optionId)).toEqual(['table:fast', 'table:slow', 'table:dear'])
})

test('every tariff without a fault prices every parcel up to its end, and none above', () => {
  const ends = fc.uniqueArray(fc.bigInt(1n, 10_000n), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(ends, fc.nat(12_000), (list, grams) => {
      const sorted = [...list].sort((a, b) => Number(a - b))
      const t = tariff({ brackets: sorted.map((upTo) => ({ upTo, amount: upTo })) })
      const price = priceOf(t, parcel(grams))
      expect(price?.minor).toBe(sorted.find((upTo) => BigInt(grams) <= upTo))
    }),
  )
})

test('faults are found', () => {
  const bracket = (upTo: bigint, minor = 1n, currency = 'BDT') => ({ upTo, amount: money(currency, minor) })
  const good = {
    basis: 'by_weight' as const,
    currency: 'BDT',
    brackets: [bracket(10n), bracket(0n)],
    freeFrom: undefined,
    minDays: 1,
    maxDays: 2,
  }
  expect(faultOf(good)).toBeUndefined()
  expect(faultOf({ ...good, minDays: 3 })).toContain('max_days')
  expect(faultOf({ ...good, brackets: [bracket(0n), bracket(10n)] })).toContain('last bracket')
  expect(faultOf({ ...good, brackets: [bracket(10n), bracket(10n)] })).toContain('ascending')
  expect(faultOf({ ...good, brackets: [bracket(10n, 1n, 'USD')] })).toContain('currency')
  expect(faultOf({ ...good, brackets: [bracket(10n, -1n)] })).toContain('negative')
  expect(faultOf({ ...good, freeFrom: money('USD', 1n) })).toContain('free_from')
  expect(faultOf({ ...good, basis: 'flat' })).toContain('flat')
})
