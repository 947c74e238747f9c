import { invalid } from '@haat/kit/errors'
import { currencyKnown } from '../domain/commission.ts'
import { countryKnown } from '../domain/countries.ts'

/** INVALID_ARGUMENT `country_unknown` unless it is in ISO 3166-1. */
export function checkCountry(country: string): void {
  if (!countryKnown(country)) throw invalid('country_unknown', 'no such country', { country })
}

/** INVALID_ARGUMENT `currency_unknown` unless it is in ISO 4217. */
export function checkCurrency(currency: string): void {
  if (!currencyKnown(currency)) throw invalid('currency_unknown', 'no such currency', { currency })
}

/** INVALID_ARGUMENT `reason_required` for a refusal nobody could understand. */
export function checkReason(reason: string): void {
  if (reason.trim() === '') throw invalid('reason_required', 'say why')
}
