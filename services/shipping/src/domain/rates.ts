import { type Money, money, zero } from '@haat/money/money'

export type Bracket = { upTo: bigint; amount: bigint }

/** A price list for one zone, in one currency. */
export type Tariff = {
  id: string
  vendorId: string | undefined
  label: string
  carrier: string
  serviceLevel: string
  basis: 'flat' | 'by_weight' | 'by_total'
  countries: readonly string[]
  currency: string
  brackets: readonly Bracket[]
  freeFrom: bigint | undefined
  minDays: number
  maxDays: number
}

export type ParcelToRate = { vendorId: string; weightGrams: number; total: Money }

export type Option = {
  optionId: string
  label: string
  carrier: string
  serviceLevel: string
  amount: Money
  minDays: number
  maxDays: number
}

/**
 * A parcel's delivery options, cheapest first. A vendor's own tariffs win over the platform's as soon as one of them
 * reaches the destination in the parcel's currency.
 */
export function optionsFor(parcel: ParcelToRate, country: string, tariffs: readonly Tariff[]): Option[] {
  const reaching = tariffs.filter((tariff) => tariff.currency === parcel.total.currency && reaches(tariff, country))
  const own = reaching.filter((tariff) => tariff.vendorId === parcel.vendorId)
  const used = own.length ? own : reaching.filter((tariff) => tariff.vendorId === undefined)
  return used
    .map((tariff) => optionOf(tariff, parcel))
    .filter((option) => option !== undefined)
    .sort(byPrice)
}

const reaches = (tariff: Tariff, country: string) =>
  tariff.countries.includes('*') || tariff.countries.includes(country)

function optionOf(tariff: Tariff, parcel: ParcelToRate): Option | undefined {
  const amount = priceOf(tariff, parcel)
  if (!amount) return undefined
  const { id, label, carrier, serviceLevel, minDays, maxDays } = tariff
  return { optionId: `table:${id}`, label, carrier, serviceLevel, amount, minDays, maxDays }
}

/** The price of a parcel; undefined when it is above the last bracket. */
export function priceOf(tariff: Tariff, parcel: Omit<ParcelToRate, 'vendorId'>): Money | undefined {
  const size = tariff.basis === 'by_total' ? parcel.total.minor : BigInt(parcel.weightGrams)
  const bracket = tariff.brackets.find(({ upTo }) => tariff.basis === 'flat' || upTo === 0n || size <= upTo)
  if (!bracket) return undefined
  if (tariff.freeFrom !== undefined && parcel.total.minor >= tariff.freeFrom) return zero(tariff.currency)
  return money(tariff.currency, bracket.amount)
}

function byPrice(a: Option, b: Option): number {
  if (a.amount.minor !== b.amount.minor) return a.amount.minor < b.amount.minor ? -1 : 1
  return a.maxDays - b.maxDays || a.minDays - b.minDays || (a.optionId < b.optionId ? -1 : 1)
}

/** What is wrong with a tariff, in one sentence; undefined when it can be used. */
export function faultOf(tariff: {
  basis: Tariff['basis']
  currency: string
  brackets: readonly { upTo: bigint; amount: Money }[]
  freeFrom: Money | undefined
  minDays: number
  maxDays: number
}): string | undefined {
  const { basis, brackets, currency, freeFrom } = tariff
  if (tariff.maxDays < tariff.minDays) return 'max_days is before min_days'
  if (brackets.some(({ amount }) => amount.currency !== currency)) return 'a bracket has another currency'
  if (brackets.some(({ amount }) => amount.minor < 0n)) return 'a bracket has a negative amount'
  if (freeFrom && freeFrom.currency !== currency) return 'free_from has another currency'
  if (freeFrom && freeFrom.minor < 0n) return 'free_from is negative'
  if (basis === 'flat' && (brackets.length !== 1 || brackets[0]!.upTo !== 0n))
    return 'a flat table has exactly one bracket, without an upper end'
  for (const [index, { upTo }] of brackets.entries()) {
    if (upTo === 0n && index < brackets.length - 1) return 'only the last bracket may be without an upper end'
    if (upTo !== 0n && index > 0 && upTo <= brackets[index - 1]!.upTo) return 'brackets are not ascending'
  }
  return undefined
}
