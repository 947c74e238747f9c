import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { createSealer, deriveKey } from '@haat/kit/seal'

/** Keys out of NOTIFICATION_SECRET: the first secret signs and seals, all of them verify and open. */
export type Secrets = {
  sign(payload: string): string
  /** The payload of a token that `sign` made; undefined for any other text. */
  verify(token: string): string | undefined
  /** Encrypts; `context` must be the same when it is opened. */
  seal(text: string, context: string): string
  open(sealed: string, context: string): string
}

export function createSecrets(list: readonly string[]): Secrets {
  const signing = list.map((secret) => createSecretKey(deriveKey(secret, 'unsubscribe', 'haat.notification')))
  const sealer = createSealer(list, 'haat.notification webhook')
  const mac = (key: KeyObject, payload: string) => createHmac('sha256', key).update(payload).digest()
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
    seal: (text, context) => sealer.seal(text, context),
    open(sealed, context) {
      const text = sealer.open(sealed, context)
      if (text === undefined) throw new Error('sealed with a secret that is not configured')
      return text
    },
  }
}

/** The header `haat-signature` of a webhook delivery: HMAC-SHA-256 over `<t>.<body>`. */
export const webhookSignature = (secret: string, body: string, at: Date): string => {
  const t = Math.floor(at.getTime() / 1000)
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`
}
