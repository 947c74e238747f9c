import { createHmac, timingSafeEqual } from 'node:crypto'

const TOLERANCE_SECONDS = 300

const hmac = (secret: string, ...parts: (string | Uint8Array)[]): Buffer => {
  const mac = createHmac('sha256', secret)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

const same = (expected: Buffer, given: string): boolean => {
  const bytes = Buffer.from(given, 'hex')
  return bytes.length === expected.length && timingSafeEqual(bytes, expected)
}

/**
 * `t=<unix seconds>,v1=<hex>` where v1 is the HMAC-SHA256 of `<t>.<body>`: a captured notification is worthless after five
 * minutes. Every secret counts, so that they can be changed one after the other.
 */
export function verifyTimestamped(payload: Uint8Array, header: string, secrets: readonly string[], now: Date): boolean {
  const parts = header.split(',').map((part) => part.trim().split('='))
  const time = parts.find(([name]) => name === 't')?.[1] ?? ''
  if (!/^\d{1,12}$/.test(time)) return false
  if (Math.abs(now.getTime() / 1000 - Number(time)) > TOLERANCE_SECONDS) return false
  const given = parts.filter(([name]) => name === 'v1').map(([, value]) => value ?? '')
  return secrets.some((secret) => {
    const expected = hmac(secret, `${time}.`, payload)
    return given.some((value) => same(expected, value))
  })
}

export const signTimestamped = (payload: Uint8Array, secret: string, now: Date): string => {
  const time = Math.floor(now.getTime() / 1000)
  return `t=${time},v1=${hmac(secret, `${time}.`, payload).toString('hex')}`
}

/** EasyPost's `X-Hmac-Signature: hmac-sha256-hex=<hex>` over the raw body. */
export function verifyPlain(payload: Uint8Array, header: string, secrets: readonly string[]): boolean {
  const given = header.match(/^hmac-sha256-hex=([0-9a-f]{64})$/i)?.[1]
  return given !== undefined && secrets.some((secret) => same(hmac(secret.normalize('NFKD'), payload), given))
}
