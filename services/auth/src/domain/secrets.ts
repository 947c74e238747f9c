import { createHash, randomBytes } from 'node:crypto'
import { deriveKey } from '@haat/kit/seal'

/** A configured secret and the short name that tells stored values which one they were made with. */
export type Secret = { id: string; value: string }

/** Reads a comma-separated list: the first secret is the one in use, the others still open what they sealed. */
export const parseSecrets = (list: string): Secret[] =>
  list
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')
    .map((value) => ({ id: deriveKey(value, 'haat.auth.secret-id').toString('hex').slice(0, 8), value }))

/** An opaque token of 256 random bits. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** What is stored of a token or another high-entropy secret. */
export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()
