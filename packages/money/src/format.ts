import { toDecimal } from './decimal.ts'
import type { Money } from './money.ts'

// Making one costs two hundred times as much as using it.
const formatters = new Map<string, Intl.NumberFormat>()

/** An amount for people. Intl is given the decimal as text, so that no digit passes through a float. */
export function format(amount: Money, locale: string): string {
  const key = `${locale} ${amount.currency}`
  let formatter = formatters.get(key)
  if (!formatter) {
    formatter = new Intl.NumberFormat(locale, { style: 'currency', currency: amount.currency })
    formatters.set(key, formatter)
  }
  return formatter.format(toDecimal(amount) as `${number}`)
}
