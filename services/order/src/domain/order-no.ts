import { randomBytes } from 'node:crypto'

// Crockford's alphabet: no I, L, O and U, so that a number survives a telephone.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A new order number: the prefix and 50 random bits, so that nobody can count or guess orders. */
export function newOrderNo(prefix: string, random: (size: number) => Uint8Array = randomBytes): string {
  const letters = [...random(10)].map((byte) => ALPHABET[byte % 32]).join('')
  return `${prefix}-${letters.slice(0, 5)}-${letters.slice(5)}`
}
