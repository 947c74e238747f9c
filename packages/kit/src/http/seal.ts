import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Seals text under a place it belongs to; opened anywhere else, or changed, it is undefined. */
export type Sealer = {
  seal(text: string, place: string): string
  open(sealed: string, place: string): string | undefined
}

/** AES-256-GCM with keys derived from the secrets for one purpose; the first seals, all of them open (rotation). */
export function createSealer(secrets: readonly string[], purpose: string): Sealer {
  const keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)))
  return {
    seal(text, place) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', keys[0]!, iv).setAAD(Buffer.from(place))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64')
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed, 'base64')
      if (bytes.length < 28) return undefined
      for (const key of keys) {
        const opener = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
        opener.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(12, 28))
        try {
          return Buffer.concat([opener.update(bytes.subarray(28)), opener.final()]).toString('utf8')
        } catch {
          // Another secret may have sealed it.
        }
      }
      return undefined
    },
  }
}
