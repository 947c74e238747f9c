import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { negate } from './arithmetic.ts'
import { money } from './money.ts'
import { applyBps, multiplyRatio, type Rounding } from './ratio.ts'

const bdt = fc.bigInt(-(10n ** 14n), 10n ** 14n).map((units) => money('BDT', units))
const bps = fc.integer({ min: 0, max: 20_000 })
const rounding = fc.constantFrom<Rounding>('half-up', 'half-even')

describe('applyBps', () => {
  it('is never more than half a unit from the exact amount', () => {
    fc.assert(
      fc.property(bdt, bps, rounding, (amount, rate, mode) => {
        const off = applyBps(amount, rate, mode).minor * 10_000n - amount.minor * BigInt(rate)
        expect(off <= 5_000n && off >= -5_000n).toBe(true)
      }),
    )
  })

  it('of a refund is exactly the negative of what was taken at sale', () => {
    fc.assert(
      fc.property(bdt, bps, rounding, (amount, rate, mode) => {
        expect(applyBps(negate(amount), rate, mode)).toEqual(negate(applyBps(amount, rate, mode)))
      }),
    )
  })

  it('of 10,000 is the whole and of 0 is nothing', () => {
    fc.assert(
      fc.property(bdt, (amount) => {
        expect(applyBps(amount, 10_000)).toEqual(amount)
        expect(applyBps(amount, 0).minor).toBe(0n)
      }),
    )
  })

  it('grows with the rate', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 12n), bps, bps, rounding, (minor, one, other, mode) => {
        const low = applyBps(money('BDT', minor), Math.min(one, other), mode)
        const high = applyBps(money('BDT', minor), Math.max(one, other), mode)
        expect(low.minor <= high.minor).toBe(true)
      }),
    )
  })

  it.each([
    [25n, 'half-up', 3n],
    [25n, 'half-even', 2n],
    [35n, 'half-up', 4n],
    [35n, 'half-even', 4n],
    [-25n, 'half-up', -3n],
    [-25n, 'half-even', -2n],
    [26n, 'half-even', 3n],
    [24n, 'half-up', 2n],
  ] as const)('10 %% of %s rounds %s to %s', (minor, mode, expected) => {
    expect(applyBps(money('BDT', minor), 1_000, mode).minor).toBe(expected)
  })

  it('refuses a fractional rate', () => {
    expect(() => applyBps(money('BDT', 1n), 12.5)).toThrow(RangeError)
  })
})

describe('multiplyRatio', () => {
  it('finds the tax inside a gross price: net and tax sum to the gross', () => {
    const gross = money('BDT', 11_500n)
    expect(multiplyRatio(gross, 1_500, 11_500).minor).toBe(1_500n)
  })

  it('does not depend on how the ratio is written', () => {
    fc.assert(
      fc.property(bdt, fc.bigInt(1n, 999n), fc.bigInt(1n, 999n), fc.bigInt(1n, 99n), (amount, n, d, k) => {
        expect(multiplyRatio(amount, n * k, d * k)).toEqual(multiplyRatio(amount, n, d))
        expect(multiplyRatio(amount, -n, -d)).toEqual(multiplyRatio(amount, n, d))
      }),
    )
  })

  it('refuses to divide by zero', () => {
    expect(() => multiplyRatio(money('BDT', 1n), 1, 0)).toThrow(RangeError)
  })
})
