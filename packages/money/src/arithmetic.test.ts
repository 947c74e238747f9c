import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { absolute, add, multiply, negate, subtract, sum } from './arithmetic.ts'
import { CurrencyMismatch, money, zero } from './money.ts'

const minor = fc.bigInt(-(10n ** 15n), 10n ** 15n)
const bdt = minor.map((units) => money('BDT', units))
const taka = money('BDT', 1n)
const dollar = money('USD', 1n)

describe('arithmetic', () => {
  it('adds in any order and any grouping with the same result', () => {
    fc.assert(
      fc.property(bdt, bdt, bdt, (a, b, c) => {
        expect(add(a, b)).toEqual(add(b, a))
        expect(add(add(a, b), c)).toEqual(add(a, add(b, c)))
      }),
    )
  })

  it('subtraction undoes addition, and an amount and its negative cancel', () => {
    fc.assert(
      fc.property(bdt, bdt, (a, b) => {
        expect(subtract(add(a, b), b)).toEqual(a)
        expect(add(a, negate(a))).toEqual(zero('BDT'))
        expect(absolute(negate(a))).toEqual(absolute(a))
      }),
    )
  })

  it('multiplying by a quantity equals adding that many times', () => {
    fc.assert(
      fc.property(bdt, fc.nat(50), (price, quantity) => {
        const lines = Array.from({ length: quantity }, () => price)
        expect(multiply(price, quantity)).toEqual(sum('BDT', lines))
        expect(multiply(price, BigInt(quantity))).toEqual(multiply(price, quantity))
      }),
    )
  })

  it('an empty sum is zero in the named currency', () => {
    expect(sum('KWD', [])).toEqual({ currency: 'KWD', minor: 0n })
  })

  it('amounts in two currencies never combine', () => {
    expect(() => add(taka, dollar)).toThrow(CurrencyMismatch)
    expect(() => subtract(taka, dollar)).toThrow(CurrencyMismatch)
    expect(() => sum('BDT', [taka, dollar])).toThrow(CurrencyMismatch)
  })

  it('an amount beyond int64 throws instead of wrapping', () => {
    const largest = money('BDT', 2n ** 63n - 1n)
    expect(() => add(largest, money('BDT', 1n))).toThrow(RangeError)
    expect(() => multiply(largest, 2)).toThrow(RangeError)
    expect(() => negate(money('BDT', -(2n ** 63n)))).toThrow(RangeError)
    expect(sum('BDT', [largest, largest, negate(largest)])).toEqual(largest)
  })

  it.each([1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('refuses to multiply by %s', (factor) => {
    expect(() => multiply(taka, factor)).toThrow(RangeError)
  })

  it.each(['', 'bdt', 'BD', 'BDTT', 'B1T'])('refuses %j as a currency', (currency) => {
    expect(() => money(currency, 1n)).toThrow(RangeError)
  })
})
