import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** Keys out of NOTIFICATION_SECRET: the first secret signs and seals, all of them verify and open. */
export type Secrets = {
  sign(payload: string): string
  /** The payload of a token that `sign` made; undefined for any other text. */
  verify(token: string): string | undefined
  /** Encrypts; `context` must be the same when it is opened. */
  seal(text: string, context: string): string
  open(sealed: string, context: string): string
}

const TAG_BYTES = 16
const NONCE_BYTES = 12

export function createSecrets(list: readonly string[]): Secrets {
  const derive = (secret: string, purpose: string) =>
    Buffer.from(hkdfSync('sha256', secret, 'haat.notification', purpose, 32))
  const signing = list.map((secret) => derive(secret, 'unsubscribe'))
  const sealing = list.map((secret) => derive(secret, 'webhook'))
  const mac = (key: Buffer, payload: string) => createHmac('sha256', key).update(payload).digest()
  return {
    sign: (payload) =>
      `${Buffer.from(payload).toString('base64url')}.${mac(signing[0]!, payload).toString('base64url')}`,
    verify(token) {
      const [body = '', signature = '', ...more] = token.split('.')
      if (more.length) return undefined
      const payload = Buffer.from(body, 'base64url').toString()
      const given = Buffer.from(signature, 'base64url')
      const isOurs = signing.some((key) => {
        const expected = mac(key, payload)
        return given.length === expected.length && timingSafeEqual(given, expected)
      })
      return isOurs ? payload : undefined
    },
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', sealing[0]!, nonce).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url')
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
      for (const key of sealing) {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
        decipher.setAAD(Buffer.from(context)).setAuthTag(tag)
        try {
          return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
        } catch {
          // Sealed with another of the secrets, or with none.
        }
      }
      throw new Error('sealed with a secret that is not configured')
    },
  }
}

/** The header `haat-signature` of a webhook delivery: HMAC-SHA-256 over `<t>.<body>`. */
export const webhookSignature = (secret: string, body: string, at: Date): string => {
  const t = Math.floor(at.getTime() / 1000)
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`
}
