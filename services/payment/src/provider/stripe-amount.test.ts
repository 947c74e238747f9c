import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromStripeAmount, toStripeAmount } from './stripe-amount.ts'

test.each([
  ['USD', 1_234n, 1_234],
  ['BDT', 1_234n, 1_234],
  ['JPY', 500n, 500],
  ['KWD', 1_230n, 1_230],
  // Stripe counts these in hundredths that do not exist.
  ['ISK', 500n, 50_000],
  ['UGX', 500n, 50_000],
])('%s %s is %s for Stripe, and back', (currency, minor, amount) => {
  expect(toStripeAmount({ currency, minor })).toEqual({ amount, currency: currency.toLowerCase() })
  expect(fromStripeAmount(amount, currency.toLowerCase())).toEqual({ currency, minor })
})

test('what goes to Stripe comes back the same', () => {
  const currencies = fc.constantFrom('USD', 'EUR', 'BDT', 'JPY', 'KWD', 'ISK', 'UGX', 'HUF')
  fc.assert(
    fc.property(currencies, fc.bigInt({ min: 0n, max: 99_999_999n }), (currency, minor) => {
      const sent = toStripeAmount({ currency, minor })!
      expect(fromStripeAmount(sent.amount, sent.currency)).toEqual({ currency, minor })
    }),
  )
})

test('what cannot be expressed exactly is not rounded', () => {
  expect(toStripeAmount({ currency: 'USD', minor: 2n ** 60n })).toBeUndefined()
  expect(() => fromStripeAmount(50_001, 'isk')).toThrow(RangeError)
  expect(() => toStripeAmount({ currency: 'ZZZ', minor: 1n })).toThrow(RangeError)
})
