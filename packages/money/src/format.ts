import { toDecimal } from './decimal.ts'
import type { Money } from './money.ts'

/** An amount for people. Intl is given the decimal as text, so that no digit passes through a float. */
export function format(amount: Money, locale: string): string {
  const formatter = new Intl.NumberFormat(locale, { style: 'currency', currency: amount.currency })
  return formatter.format(toDecimal(amount) as `${number}`)
}
