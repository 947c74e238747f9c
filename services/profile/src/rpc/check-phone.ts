import { invalid } from '@haat/kit/errors'
import { isPhone } from '../domain/phone.ts'

/** INVALID_ARGUMENT `phone_invalid`; empty is no phone, and fine. */
export function checkPhone(phone: string): void {
  if (phone !== '' && !isPhone(phone)) throw invalid('phone_invalid', 'no country has such a phone number')
}
