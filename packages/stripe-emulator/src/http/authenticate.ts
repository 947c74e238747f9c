import type { IncomingHttpHeaders } from 'node:http'
import type { Settings } from '../settings.ts'
import { StripeError } from './stripe-error.ts'

export type KeyKind = 'secret' | 'publishable'

/** Bearer, basic (the key as user name) or the `key` parameter that browsers send. */
export function authenticate(settings: Settings, headers: IncomingHttpHeaders, keyParam: string | undefined): KeyKind {
  const key = keyFromHeader(headers.authorization) ?? keyParam
  if (!key) {
    throw unauthorized(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    )
  }
  if (key === settings.secretKey) return 'secret'
  if (key === settings.publishableKey) return 'publishable'
  throw unauthorized(`Invalid API Key provided: ${key.slice(0, 8)}****${key.slice(-4)}`)
}

export function secretKeyRequired(): StripeError {
  return new StripeError(403, {
    type: 'invalid_request_error',
    code: 'secret_key_required',
    message: 'This API call cannot be made with a publishable API key. Please use a secret API key.',
  })
}

function keyFromHeader(header: string | undefined): string | undefined {
  const [scheme = '', value = ''] = (header ?? '').split(' ')
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() === 'basic') return Buffer.from(value, 'base64').toString().split(':')[0]
  return undefined
}

function unauthorized(message: string): StripeError {
  return new StripeError(
    401,
    { type: 'invalid_request_error', message },
    { 'www-authenticate': 'Bearer realm="Stripe"' },
  )
}
