import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { negate } from './arithmetic.ts'
import { clamp, compare, equals, isNegative, isPositive, isZero, max, min } from './compare.ts'
import { CurrencyMismatch, money } from './money.ts'

const bdt = fc.bigInt(-1000n, 1000n).map((units) => money('BDT', units))

describe('compare', () => {
  it('orders amounts as their units are ordered', () => {
    fc.assert(
      fc.property(fc.array(bdt), (amounts) => {
        const sorted = amounts.toSorted(compare).map((amount) => amount.minor)
        expect(sorted).toEqual(amounts.map((amount) => amount.minor).toSorted((a, b) => Number(a - b)))
      }),
    )
  })

  it('every amount is exactly one of negative, zero and positive, and its negative mirrors it', () => {
    fc.assert(
      fc.property(bdt, (amount) => {
        expect([isNegative(amount), isZero(amount), isPositive(amount)].filter(Boolean)).toHaveLength(1)
        expect(isNegative(amount)).toBe(isPositive(negate(amount)))
      }),
    )
  })

  it('min and max return the two amounts they were given', () => {
    fc.assert(
      fc.property(bdt, bdt, (a, b) => {
        expect([min(a, b).minor, max(a, b).minor].toSorted()).toEqual([a.minor, b.minor].toSorted())
        expect(compare(min(a, b), max(a, b))).toBeLessThanOrEqual(0)
      }),
    )
  })

  it('clamp stays within its limits and leaves amounts inside them alone', () => {
    fc.assert(
      fc.property(bdt, bdt, bdt, (amount, one, other) => {
        const limits = { min: min(one, other), max: max(one, other) }
        const clamped = clamp(amount, limits)
        expect(compare(clamped, limits.min)).toBeGreaterThanOrEqual(0)
        expect(compare(clamped, limits.max)).toBeLessThanOrEqual(0)
        const inside = compare(amount, limits.min) >= 0 && compare(amount, limits.max) <= 0
        if (inside) expect(clamped).toEqual(amount)
      }),
    )
  })

  it('clamp without limits changes nothing, and refuses limits the wrong way round', () => {
    const amount = money('BDT', 5n)
    expect(clamp(amount, {})).toEqual(amount)
    expect(clamp(amount, { max: money('BDT', 3n) }).minor).toBe(3n)
    expect(() => clamp(amount, { min: money('BDT', 2n), max: money('BDT', 1n) })).toThrow(RangeError)
  })

  it('amounts in two currencies are unequal and cannot be ordered', () => {
    const [taka, dollar] = [money('BDT', 1n), money('USD', 1n)]
    expect(equals(taka, dollar)).toBe(false)
    expect(equals(taka, money('BDT', 1n))).toBe(true)
    expect(() => compare(taka, dollar)).toThrow(CurrencyMismatch)
    expect(() => clamp(taka, { min: dollar })).toThrow(CurrencyMismatch)
  })
})
