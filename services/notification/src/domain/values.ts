import { format } from '@haat/money/format'
import type { Locale } from './locale.ts'

/** A template's variables: JSON. Amounts are `{ currency, minor }`, times ISO 8601. */
export type Payload = { [name: string]: unknown }

export type Style = { locale: Locale; timeZone: string }

type MoneyValue = { currency: string; minor: string | number }

export function isMoney(value: unknown): value is MoneyValue {
  if (typeof value !== 'object' || value === null) return false
  const { currency, minor } = value as Partial<MoneyValue>
  return typeof currency === 'string' && /^[A-Z]{3}$/.test(currency) && /^-?\d+$/.test(String(minor))
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

const isInstant = (text: string) => INSTANT.test(text) && !Number.isNaN(Date.parse(text))

/** A variable as people read it in their language; undefined for what is no single value. */
export function toText(value: unknown, style: Style): string | undefined {
  if (typeof value === 'string') return isInstant(value) ? toDate(new Date(value), style) : value
  if (typeof value === 'number') return numbers(style.locale).format(value)
  if (typeof value === 'boolean') return String(value)
  if (isMoney(value)) return format({ currency: value.currency, minor: BigInt(value.minor) }, style.locale)
  return undefined
}

const toDate = (date: Date, { locale, timeZone }: Style) => dates(locale, timeZone).format(date)

/** Keeps what `make` made; for the few languages and time zones there are. */
function kept<Names extends string[], Made>(make: (...names: Names) => Made): (...names: Names) => Made {
  const made = new Map<string, Made>()
  return (...names) => {
    const key = names.join(' ')
    if (!made.has(key)) made.set(key, make(...names))
    return made.get(key)!
  }
}
// Making a formatter costs two hundred times as much as using it.
const numbers = kept(
  (locale: string) => new Intl.NumberFormat(locale, { useGrouping: false, maximumFractionDigits: 10 }),
)
const dates = kept(
  (locale: string, timeZone: string) =>
    new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone }),
)

/** Whether a section over the value is shown: not for nothing, no, empty, zero and an amount of zero. */
export function isShown(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (isMoney(value)) return BigInt(value.minor) !== 0n
  return Boolean(value)
}

/** Turns an event's values into a payload: dates and bigints become text, what is undefined goes. */
export const toPayload = (values: object): Payload =>
  JSON.parse(JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? value.toString() : value)))
