import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTaxRates, taxBps, taxOf } from './tax.ts'

const of = (minor: bigint) => ({ currency: 'BDT', minor })

test('tax inside a price and tax on top of its net part are the same, to the unit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.integer({ min: 0, max: 10_000 }), (minor, bps) => {
      const inside = taxOf(of(minor), bps, true).minor
      const onTop = taxOf(of(minor - inside), bps, false).minor
      const difference = inside - onTop
      expect(difference >= -1n && difference <= 1n).toBe(true)
      expect(inside).toBeLessThanOrEqual(minor)
    }),
  )
  expect(taxOf(of(11_500n), 1500, true).minor).toBe(1_500n)
  expect(taxOf(of(10_000n), 1500, false).minor).toBe(1_500n)
})

test('a country without rates has no tax; a class that a country does not list is no class', () => {
  const rates = parseTaxRates('{"BD":{"standard":1500}}')
  expect(taxBps(rates, 'BD', 'standard')).toBe(1500)
  expect(taxBps(rates, 'BD', 'zero')).toBe(0)
  expect(taxBps(rates, 'BD', 'luxury')).toBeUndefined()
  expect(taxBps(rates, 'DE', 'luxury')).toBe(0)
})

test('a faulty rate table is refused with a sentence that names the fault', () => {
  const table: [string, RegExp][] = [
    ['{', /not JSON/],
    ['[]', /object of countries/],
    ['{"Bangladesh":{}}', /"Bangladesh"/],
    ['{"BD":15}', /BD must be/],
    ['{"BD":{"Standard":1}}', /"Standard"/],
    ['{"BD":{"standard":0.15}}', /BD\.standard/],
    ['{"BD":{"standard":10001}}', /BD\.standard/],
  ]
  for (const [text, fault] of table) expect(() => parseTaxRates(text)).toThrow(fault)
})
