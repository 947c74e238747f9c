import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** A key of 32 bytes and the name it is known by. */
export type FieldKey = { version: string; key: Buffer }

/** Where a value lives. It is bound into the encryption, so that a value moved elsewhere does not decrypt. */
export type Place = { table: string; column: string; rowId: string }

export type Sealed = { keyVersion: string; bytes: Buffer }

export type FieldCipher = {
  /** The version new values are encrypted under. */
  currentVersion: string
  seal(place: Place, plain: Buffer): Sealed
  /** Throws when the key is unknown, or when the value was changed or belongs to another place. */
  open(place: Place, sealed: Sealed): Buffer
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** Reads `v2:<hex>,v1:<hex>`, newest first. The message of the error it throws holds no key material. */
export function parseKeys(list: string): FieldKey[] {
  const keys = list.split(',').map((entry) => {
    const match = /^([A-Za-z0-9_-]{1,32}):([0-9a-fA-F]{64})$/.exec(entry.trim())
    if (!match) throw new Error('must be "<version>:<64 hex digits>" entries, comma-separated, newest first')
    return { version: match[1]!, key: Buffer.from(match[2]!, 'hex') }
  })
  if (new Set(keys.map((key) => key.version)).size < keys.length) throw new Error('names a version twice')
  return keys
}

/** AES-256-GCM with a random IV; encrypts under the first key and decrypts under any. A value is IV, tag, ciphertext. */
export function createFieldCipher(keys: readonly FieldKey[]): FieldCipher {
  const [current] = keys
  if (!current) throw new Error('no key to encrypt with')
  const aad = (place: Place, version: string) => Buffer.from(`${place.table}:${place.column}:${place.rowId}:${version}`)
  return {
    currentVersion: current.version,
    seal(place, plain) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', current.key, iv).setAAD(aad(place, current.version))
      const body = Buffer.concat([cipher.update(plain), cipher.final()])
      return { keyVersion: current.version, bytes: Buffer.concat([iv, cipher.getAuthTag(), body]) }
    },
    open(place, { keyVersion, bytes }) {
      const known = keys.find((key) => key.version === keyVersion)
      if (!known) throw new Error(`no key ${keyVersion}`)
      const decipher = createDecipheriv('aes-256-gcm', known.key, bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(aad(place, keyVersion))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
    },
  }
}
