import type { Context } from 'hono'
import { invalid } from '../errors.ts'
import type { HttpEnv } from './context.ts'

/**
 * The request's Idempotency-Key: 1 to 255 visible ASCII characters. 400 `idempotency_key_required` without one, 400
 * `idempotency_key_invalid` for another shape. The service that owns the effect stores it; a BFF only hands it on.
 */
export function idempotencyKey(c: Context<HttpEnv>): string {
  const key = c.req.header('idempotency-key')
  if (key === undefined || key === '')
    throw invalid(
      'idempotency_key_required',
      'send an Idempotency-Key header, the same one when you repeat this request',
    )
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw invalid('idempotency_key_invalid', 'an Idempotency-Key has 1 to 255 visible ASCII characters')
  return key
}
