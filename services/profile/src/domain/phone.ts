import { isPossiblePhoneNumber } from 'libphonenumber-js'

/** True for an E.164 number whose country exists and has numbers of this length. */
export const isPhone = (text: string): boolean => text.startsWith('+') && isPossiblePhoneNumber(text)
