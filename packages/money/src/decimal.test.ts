import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, toDecimal } from './decimal.ts'
import { exponent } from './exponent.ts'
import { format } from './format.ts'
import { money } from './money.ts'

const currencies = fc.constantFrom('JPY', 'BDT', 'USD', 'KWD')
const amounts = fc.tuple(currencies, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)).map(([code, units]) => money(code, units))
const spaces = /[\u00a0\u202f]/g

describe('decimals', () => {
  it('parse reads back exactly what toDecimal wrote, over the whole int64 range', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        expect(parse(toDecimal(amount), amount.currency)).toEqual(amount)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    ['JPY', 1_250n, '1250'],
    ['BDT', 1_250n, '12.50'],
    ['KWD', 1_250n, '1.250'],
    ['KWD', -5n, '-0.005'],
    ['BDT', 0n, '0.00'],
  ])('%s %s is written %s', (currency, minor, text) => {
    expect(toDecimal(money(currency, minor))).toBe(text)
  })

  it.each([
    ['12', 'BDT', 1_200n],
    ['12.5', 'BDT', 1_250n],
    ['+0.05', 'BDT', 5n],
    ['-0.05', 'BDT', -5n],
    ['-0', 'JPY', 0n],
  ])('%s %s reads as %s units', (text, currency, minor) => {
    expect(parse(text, currency)).toEqual({ currency, minor })
  })

  it.each([
    ['12.505', 'BDT'],
    ['1.0', 'JPY'],
    ['0.0001', 'KWD'],
  ])('%s %s has digits the currency does not have, and is refused rather than rounded', (text, currency) => {
    expect(() => parse(text, currency)).toThrow(SyntaxError)
  })

  it.each(['', ' ', '1,000', '1e3', '.5', '5.', '0x10', 'NaN', '--1', '1 ', '১২'])('%j is not an amount', (text) => {
    expect(() => parse(text, 'BDT')).toThrow(SyntaxError)
  })

  it('a decimal beyond int64 is refused', () => {
    expect(() => parse('92233720368547758.08', 'BDT')).toThrow(RangeError)
  })

  it('a misspelt currency has no exponent', () => {
    expect(() => exponent('USX')).toThrow(RangeError)
  })
})

describe('format', () => {
  it.each([
    ['en-US', money('USD', 123_456n), '$1,234.56'],
    ['ja-JP', money('JPY', 1_250n), '￥1,250'],
    ['en-US', money('KWD', 1_250n), 'KWD 1.250'],
    ['en-US', money('USD', -5n), '-$0.05'],
  ])('%s shows %o as %s', (locale, amount, text) => {
    expect(format(amount, locale).replace(spaces, ' ')).toBe(text)
  })

  it('shows every digit of amounts that a float cannot hold', () => {
    expect(format(money('USD', 9_007_199_254_740_993_01n), 'en-US')).toBe('$9,007,199,254,740,993.01')
  })
})
