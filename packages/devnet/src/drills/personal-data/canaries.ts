import { randomBytes, randomInt } from 'node:crypto'

/** Values that occur nowhere by chance, each in one personal field. */
export type Canaries = Map<string, string>

const letters = (count: number): string =>
  Array.from({ length: count }, () => String.fromCharCode(97 + randomInt(26))).join('')
const digits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('')

/** A word that looks like a name and is none. */
export const aName = (): string => `Qx${letters(10)}`
export const aPhone = (): string => `+88017${digits(8)}`
export const anEmail = (): string => `qx-${letters(10)}@example.com`
/** A day long ago, so that no other date is like it. */
export const aBirthday = (): string => `19${10 + randomInt(9)}-0${1 + randomInt(9)}-${10 + randomInt(19)}`
export const anAccountNo = (): string => `9${digits(15)}`
export const aSecret = (): string => `Qx-${randomBytes(9).toString('base64url')}-7`

/** A German IBAN of a random account, with check digits that are right. */
export function anIban(): string {
  const account = digits(18)
  // Letters are numbers from 10 on: DE is 1314.
  const check = 98n - (BigInt(`${account}131400`) % 97n)
  return `DE${String(check).padStart(2, '0')}${account}`
}

/** Remembers what is planted where. */
export function createCanaries() {
  const planted: Canaries = new Map()
  const plant = (what: string, value: string): string => {
    planted.set(what, value)
    return value
  }
  return { planted, plant }
}

type Form = { what: string; bytes: Buffer }

/**
 * Finds canaries in bytes: as they are, in any case, as hex, URL-encoded, and inside whatever is encoded as base64. A phone number
 * is found without its plus sign.
 */
export function createFinder(canaries: Canaries): (haystack: string | Buffer) => string[] {
  const forms: Form[] = [...canaries].flatMap(([what, value]) => {
    const plain = value.toLowerCase().replace(/^\+/, '')
    const hex = Buffer.from(value.replace(/^\+/, '')).toString('hex')
    const inUrl = encodeURIComponent(plain).toLowerCase()
    return [...new Set([plain, hex, inUrl])].map((form) => ({ what, bytes: Buffer.from(form) }))
  })
  const look = (bytes: Buffer): string[] => {
    const lower = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1')
    return forms.filter((form) => lower.includes(form.bytes)).map(({ what }) => what)
  }
  return (haystack) => {
    const bytes = typeof haystack === 'string' ? Buffer.from(haystack) : haystack
    const inside = (bytes.toString('latin1').match(/[A-Za-z0-9+/_-]{16,}/g) ?? []).map((text) =>
      Buffer.from(text, 'base64'),
    )
    return [...new Set([...look(bytes), ...look(Buffer.concat(inside.flatMap((part) => [part, Buffer.from('\0')])))])]
  }
}
