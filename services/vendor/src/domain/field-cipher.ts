import { open, seal } from '@haat/kit/seal'

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
  const where = (place: Place, version: string) => `${place.table}:${place.column}:${place.rowId}:${version}`
  return {
    currentVersion: current.version,
    seal: (place, plain) => ({
      keyVersion: current.version,
      bytes: seal(current.key, plain, where(place, current.version)),
    }),
    open(place, { keyVersion, bytes }) {
      const known = keys.find((key) => key.version === keyVersion)
      if (!known) throw new Error(`no key ${keyVersion}`)
      return open(known.key, bytes, where(place, keyVersion))
    },
  }
}
