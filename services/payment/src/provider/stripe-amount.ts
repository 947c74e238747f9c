import { exponent } from '@haat/money/exponent'
import { type Money, money } from '@haat/money/money'

// Where Stripe counts another unit than ISO 4217 it says so per currency (docs.stripe.com/currencies).
const withoutDecimals = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ')
const withThreeDecimals = 'BHD JOD KWD OMR TND'.split(' ')

function stripeExponent(currency: string): number {
  if (withoutDecimals.includes(currency)) return 0
  return withThreeDecimals.includes(currency) ? 3 : 2
}

/** Stripe's integer for an amount; undefined when Stripe cannot express it exactly. */
export function toStripeAmount({ currency, minor }: Money): { amount: number; currency: string } | undefined {
  const shift = stripeExponent(currency) - exponent(currency)
  const factor = 10n ** BigInt(Math.abs(shift))
  if (shift < 0 && minor % factor !== 0n) return undefined
  const amount = Number(shift < 0 ? minor / factor : minor * factor)
  return Number.isSafeInteger(amount) ? { amount, currency: currency.toLowerCase() } : undefined
}

/** What a Stripe integer means; throws when it is finer than the currency's minor unit. */
export function fromStripeAmount(amount: number, stripeCurrency: string): Money {
  const currency = stripeCurrency.toUpperCase()
  const shift = stripeExponent(currency) - exponent(currency)
  const factor = 10n ** BigInt(Math.abs(shift))
  const minor = BigInt(amount)
  if (shift > 0 && minor % factor !== 0n) throw new RangeError(`${amount} ${currency} has a fraction of a minor unit`)
  return money(currency, shift > 0 ? minor / factor : minor * factor)
}
