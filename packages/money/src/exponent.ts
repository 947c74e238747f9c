const known = new Set(Intl.supportedValuesOf('currency'))
const cache = new Map<string, number>()

/** Decimal digits of a currency's minor unit: JPY 0, BDT 2, KWD 3. */
export function exponent(currency: string): number {
  // Intl answers 2 for any three letters; a misspelt code must not become an amount a hundred times off.
  if (!known.has(currency)) throw new RangeError(`unknown currency: ${JSON.stringify(currency)}`)
  const cached = cache.get(currency)
  if (cached !== undefined) return cached
  const options = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions()
  const digits = options.maximumFractionDigits ?? 2
  cache.set(currency, digits)
  return digits
}
