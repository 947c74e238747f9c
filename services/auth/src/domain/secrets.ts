import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

/** A configured secret and the short name that tells stored values which one they were made with. */
export type Secret = { id: string; value: string }

/** Reads a comma-separated list: the first secret is the one in use, the others still open what they sealed. */
export const parseSecrets = (list: string): Secret[] =>
  list
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')
    .map((value) => ({ id: deriveKey(value, 'haat.auth.secret-id').toString('hex').slice(0, 8), value }))

/** A 256-bit key for one purpose. */
export const deriveKey = (secret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))

const IV_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM; `place` (table, column, row) is authenticated, so that a value cannot be moved elsewhere. */
export function seal(key: Buffer, plain: string, place: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place))
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), sealed])
}

/** Opens what `seal` made; throws when key, place or bytes are not the same. */
export function open(key: Buffer, sealed: Buffer, place: string): string {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place))
    .setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
}

/** An opaque token of 256 random bits. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** What is stored of a token or another high-entropy secret. */
export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()
