import { createHash } from 'node:crypto'
import type { Store } from '../store/store.ts'
import { canonical, type RawHash } from './form.ts'
import { invalidRequest, StripeError } from './stripe-error.ts'

/** What a key's first request was and what it was answered; no answer yet means that it is still running. */
export type SavedResult = {
  path: string
  fingerprint: string
  requestId: string
  createdAt: number
  answer?: { status: number; body: string }
}

export const keyLifetimeSeconds = 24 * 60 * 60

export type KeyedRequest = { key: string; account: string | null; path: string; raw: RawHash; requestId: string }

/**
 * Claims a key, or gives back the saved first result. A claim is either completed with the answer or abandoned when the
 * request turns out invalid, which leaves the key free.
 */
export function claimKey(store: Store, request: KeyedRequest, nowSeconds: number): SavedResult | Claim {
  if (request.key.length > 255) throw invalidRequest('Idempotency-Key must be at most 255 characters.')
  // Keys belong to an account: the same key on two connected accounts names two requests.
  const slot = `${request.account ?? 'platform'} ${request.key}`
  const fingerprint = createHash('sha256').update(canonical(request.raw)).digest('hex')
  const saved = store.savedResults.get(slot)

  if (saved && nowSeconds - saved.createdAt < keyLifetimeSeconds) {
    if (saved.path !== request.path) throw otherEndpoint(request, saved.path)
    if (saved.fingerprint !== fingerprint) throw otherParams(request.key)
    if (!saved.answer) throw inUse(request.key)
    return saved
  }

  const { path, requestId } = request
  const claimed: SavedResult = { path, fingerprint, requestId, createdAt: nowSeconds }
  store.savedResults.set(slot, claimed)
  return {
    complete: (status, body) => {
      claimed.answer = { status, body }
    },
    abandon: () => {
      if (!claimed.answer) store.savedResults.delete(slot)
    },
  }
}

export type Claim = { complete: (status: number, body: string) => void; abandon: () => void }

function otherEndpoint(request: KeyedRequest, firstPath: string): StripeError {
  return idempotencyError(
    `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${request.path}' vs '${firstPath}'). Try using a key other than '${request.key}' if you meant to execute a different request.`,
  )
}

function otherParams(key: string): StripeError {
  return idempotencyError(
    `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
  )
}

function idempotencyError(message: string): StripeError {
  return new StripeError(400, { type: 'idempotency_error', message })
}

function inUse(key: string): StripeError {
  const message = `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`
  return new StripeError(
    409,
    { type: 'idempotency_error', code: 'idempotency_key_in_use', message },
    { 'stripe-should-retry': 'true' },
  )
}
