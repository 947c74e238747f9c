import type { Money } from '@haat/money/money'
import { applyBps, multiplyRatio } from '@haat/money/ratio'

/** Basis points by country (ISO 3166-1 alpha-2) and tax class. */
export type TaxRates = ReadonlyMap<string, ReadonlyMap<string, number>>
/** The platform's rates, and whether its prices contain the tax. */
export type TaxTable = { rates: TaxRates; included: boolean }

/** Reads TAX_RATES_JSON; throws a sentence that names the first mistake. */
export function parseTaxRates(text: string): TaxRates {
  let table: unknown
  try {
    table = JSON.parse(text)
  } catch {
    throw new Error('TAX_RATES_JSON is not JSON')
  }
  if (!isRecord(table)) throw new Error('TAX_RATES_JSON must be an object of countries')
  return new Map(
    Object.entries(table).map(([country, classes]) => {
      if (!/^[A-Z]{2}$/.test(country)) throw new Error(`TAX_RATES_JSON: "${country}" is no ISO 3166-1 alpha-2 code`)
      if (!isRecord(classes)) throw new Error(`TAX_RATES_JSON: ${country} must be an object of tax classes`)
      return [country, new Map(Object.entries(classes).map(([name, bps]) => [name, rate(country, name, bps)]))]
    }),
  )
}

function rate(country: string, name: string, bps: unknown): number {
  if (!/^[a-z][a-z0-9_-]{0,39}$/.test(name)) throw new Error(`TAX_RATES_JSON: "${name}" is no tax class`)
  if (typeof bps !== 'number' || !Number.isInteger(bps) || bps < 0 || bps > 10_000)
    throw new Error(`TAX_RATES_JSON: ${country}.${name} must be basis points from 0 to 10000`)
  return bps
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The rate of a tax class in a country: 0 in a country without rates, undefined for a class the country does not list.
 * The class "zero" needs no listing.
 */
export function taxBps(rates: TaxRates, country: string, taxClass: string): number | undefined {
  const classes = rates.get(country)
  if (!classes) return 0
  return classes.get(taxClass) ?? (taxClass === 'zero' ? 0 : undefined)
}

/** The tax of an amount, inside it or on top of it, rounded once. */
export const taxOf = (amount: Money, bps: number, included: boolean): Money =>
  included ? multiplyRatio(amount, bps, 10_000 + bps) : applyBps(amount, bps)
