import { AppError } from '@haat/kit/errors'
import Stripe from 'stripe'
import { ProviderFailure } from './provider.ts'

const { errors } = Stripe

/**
 * What a failed call means. Only a refusal of the request itself is final; anything else may have had its effect. A 500 is
 * kept under the idempotency key for a day, so that the next attempt must look first and then use another key.
 */
export function toFailure(error: unknown): ProviderFailure | AppError {
  if (error instanceof AppError) return error
  const cause = summaryOf(error)
  if (error instanceof errors.StripeCardError || error instanceof errors.StripeInvalidRequestError)
    return new ProviderFailure('rejected', error.code ?? 'invalid_request', { cause })
  if (error instanceof errors.StripeIdempotencyError)
    return new ProviderFailure('unavailable', 'idempotency', { isKeySpent: true, cause })
  if (error instanceof errors.StripeError) {
    const status = error.statusCode ?? 0
    return new ProviderFailure('unavailable', error.code ?? error.type, {
      isKeySpent: status >= 500 && status !== 503,
      cause,
    })
  }
  return new ProviderFailure('unavailable', 'unexpected', { cause })
}

/** What may be logged: Stripe's own errors carry whole objects, with client secrets and names. */
function summaryOf(error: unknown): Error {
  if (!(error instanceof errors.StripeError)) return error instanceof Error ? error : new Error(String(error))
  const { type, code, statusCode, requestId, message } = error
  return new Error(`${type} ${statusCode ?? '-'} ${code ?? '-'} ${requestId ?? '-'}: ${message}`)
}

export const isMissing = (error: unknown): boolean =>
  error instanceof errors.StripeInvalidRequestError && error.code === 'resource_missing'
