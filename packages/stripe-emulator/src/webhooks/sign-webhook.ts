import { createHmac } from 'node:crypto'

/** The Stripe-Signature header: the time, and the HMAC-SHA256 of time and body together. */
export function signWebhook(body: string, secret: string, atSeconds: number): string {
  const signature = createHmac('sha256', secret).update(`${atSeconds}.${body}`).digest('hex')
  return `t=${atSeconds},v1=${signature}`
}
