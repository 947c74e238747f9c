import { invalid } from '@haat/kit/errors'
import type { Address } from '@haat/proto/common/v1/common'
import { countries } from '../domain/countries.ts'
import { checkPhone } from './check-phone.ts'

/** INVALID_ARGUMENT `country_unknown` or `phone_invalid`. */
export function checkAddress(address: Address): void {
  if (!countries.has(address.country))
    throw invalid('country_unknown', 'not a country of ISO 3166-1', { country: address.country })
  checkPhone(address.phone)
}
