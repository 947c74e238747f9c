import { exponent } from './exponent.ts'
import { type Money, money } from './money.ts'

/** The plain decimal of an amount, with exactly the currency's digits: 12.50, 1250, -0.005. */
export function toDecimal(amount: Money): string {
  const digits = exponent(amount.currency)
  const sign = amount.minor < 0n ? '-' : ''
  const all = (amount.minor < 0n ? -amount.minor : amount.minor).toString().padStart(digits + 1, '0')
  if (digits === 0) return sign + all
  return `${sign}${all.slice(0, -digits)}.${all.slice(-digits)}`
}

/** Reads a plain decimal. Refuses more digits than the currency has: rounding is never a reader's decision. */
export function parse(text: string, currency: string): Money {
  const digits = exponent(currency)
  const match = /^([+-]?)([0-9]{1,40})(?:\.([0-9]{1,40}))?$/.exec(text)
  if (!match) throw new SyntaxError(`not a decimal amount: ${JSON.stringify(text.slice(0, 60))}`)
  const [, sign = '', whole = '', fraction = ''] = match
  if (fraction.length > digits)
    throw new SyntaxError(`${currency} has ${digits} decimal digits, not ${fraction.length}`)
  const minor = BigInt(whole + fraction.padEnd(digits, '0'))
  return money(currency, sign === '-' ? -minor : minor)
}
