import { type CipherKey, createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'

const IV_BYTES = 12
const TAG_BYTES = 16

/** A 256-bit key for one purpose out of a configured secret (HKDF-SHA-256). */
export const deriveKey = (secret: string, purpose: string, salt = ''): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, purpose, 32))

/**
 * AES-256-GCM under a random IV; answers IV, tag, ciphertext. `place` says where the value lives (table, column, row): it is
 * authenticated, so that a value moved elsewhere does not open.
 */
export function seal(key: CipherKey, plain: string | Buffer, place: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place))
  const body = Buffer.concat([cipher.update(plain as Buffer), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), body])
}

/** Opens what `seal` made; throws when key, place or bytes are not the same. */
export function open(key: CipherKey, sealed: Buffer, place: string): Buffer {
  if (sealed.length < IV_BYTES + TAG_BYTES) throw new Error('too short to be sealed')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place))
    .setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
}

/** Seals text under a place it belongs to; opened anywhere else, or changed, it is undefined. */
export type Sealer = {
  seal(text: string, place: string): string
  open(sealed: string, place: string): string | undefined
}

/** Text sealed for one purpose; the first secret seals, all of them open (rotation). */
export function createSealer(secrets: readonly string[], purpose: string): Sealer {
  // As key objects: bytes would be made into one for every text, which costs more than to open it.
  const keys = secrets.map((secret) => createSecretKey(deriveKey(secret, purpose)))
  return {
    seal: (text, place) => seal(keys[0]!, text, place).toString('base64'),
    open(sealed, place) {
      const bytes = Buffer.from(sealed, 'base64')
      for (const key of keys) {
        try {
          return open(key, bytes, place).toString('utf8')
        } catch {
          // Another secret may have sealed it.
        }
      }
      return undefined
    },
  }
}
