import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Call, Context } from '../context.ts'
import { apiVersion } from '../resources/events.ts'
import { routes } from '../resources/routes.ts'
import { randomText } from '../store/new-id.ts'
import type { ApiFaults, MetFault } from './api-faults.ts'
import { authenticate, secretKeyRequired } from './authenticate.ts'
import { expand } from './expand.ts'
import { parseForm, type RawHash } from './form.ts'
import { type Claim, claimKey, type SavedResult } from './idempotency.ts'
import { list, text } from './params.ts'
import { type Execute, matchPath, type Route } from './route.ts'
import { internalError, StripeError } from './stripe-error.ts'

export type Request = { method: string; path: string; query: string; headers: IncomingHttpHeaders; body: string }
export type Response = { status: number; headers: Record<string, string>; body: string }
export type Api = { handle: (request: Request) => Promise<Response | 'reset'> }

type Options = { ctx: Context; faults: ApiFaults; save: () => Promise<void> }
type Matched = { route: Route; ids: Record<string, string> }
type Answer = { status: number; headers: Record<string, string>; body: string }

/** The way of every request: who · which route · seen before? · valid? · execute · remember · answer. */
export function createApi({ ctx, faults, save }: Options): Api {
  return {
    handle: async (request) => {
      const requestId = `req_${randomText(14)}`
      const base = baseHeaders(request, requestId)
      try {
        const answer = await answerRequest(request, requestId)
        return answer === 'reset' ? 'reset' : { ...answer, headers: { ...base, ...answer.headers } }
      } catch (error) {
        const { status, headers, body } = asAnswer(error)
        return { status, headers: { ...base, ...headers }, body }
      }
    },
  }

  async function answerRequest(request: Request, requestId: string): Promise<Answer | 'reset'> {
    const raw = paramsOf(request)
    const keyParam = takeText(raw, 'key')
    takeText(raw, '_stripe_version')
    const keyKind = authenticate(ctx.settings, request.headers, keyParam)
    const { route, ids } = findRoute(request)
    if (keyKind === 'publishable' && !route.publishable) throw secretKeyRequired()

    const account = accountOf(request)
    const idempotencyKey = request.method === 'POST' ? header(request, 'idempotency-key') : null
    const call: Call = {
      path: request.path,
      ids,
      account,
      isPublishable: keyKind === 'publishable',
      requestId,
      idempotencyKey,
    }

    const fault = faults.take(request.method, request.path)
    refuseAtTheDoor(fault)
    if (fault?.kind === 'reset-before') return 'reset'

    const claimed = claim(call, raw)
    if (claimed && 'fingerprint' in claimed) return replay(claimed)
    try {
      const execute = prepare(route, raw)
      const answer = run(execute, call, fault)
      await linger(fault)
      claimed?.complete(answer.status, answer.body)
      if (request.method !== 'GET') await save()
      return fault?.kind === 'reset-after' ? 'reset' : answer
    } finally {
      // Reached without a result only when the request was invalid: its key is free for the corrected one.
      claimed?.abandon()
    }
  }

  function claim(call: Call, raw: RawHash): Claim | SavedResult | undefined {
    if (call.idempotencyKey === null) return undefined
    const { idempotencyKey: key, account, path } = call
    return claimKey(ctx.store, { key, account, path, raw, requestId: call.requestId ?? '' }, ctx.nowSeconds())
  }

  function prepare(route: Route, raw: RawHash): Execute {
    const given = new Map(raw)
    const wanted = given.get('expand')
    given.delete('expand')
    const paths = wanted === undefined ? [] : list(text()).read(wanted, 'expand')
    const execute = route.prepare(given)
    return paths.length === 0 ? execute : (...args) => expand(ctx.store, execute(...args), paths)
  }

  /** Whatever comes of this, a refusal included, is the result of the request. */
  function run(execute: Execute, call: Call, fault: MetFault | undefined): Answer {
    if (fault?.kind === 'error-before') return asAnswer(internalError())
    try {
      const body = JSON.stringify(execute(ctx, call), null, 2)
      return fault?.kind === 'error-after' ? asAnswer(internalError()) : { status: 200, headers: {}, body }
    } catch (error) {
      return asAnswer(error)
    }
  }

  function accountOf(request: Request): string | null {
    const account = header(request, 'stripe-account')
    if (account === null || ctx.store.tables.accounts.has(account)) return account
    throw new StripeError(403, {
      type: 'invalid_request_error',
      code: 'account_invalid',
      message: `The provided key does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`,
    })
  }
}

function paramsOf(request: Request): RawHash {
  const raw = parseForm(request.query)
  if (request.body === '') return raw
  const type = header(request, 'content-type') ?? ''
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    const message = `Invalid request: the content type of a request is application/x-www-form-urlencoded, not ${type}.`
    throw new StripeError(400, { type: 'invalid_request_error', message })
  }
  for (const [name, value] of parseForm(request.body)) raw.set(name, value)
  return raw
}

function findRoute(request: Request): Matched {
  for (const route of routes) {
    const ids = route.method === request.method ? matchPath(route.pattern, request.path) : undefined
    if (ids) return { route, ids }
  }
  const message = `Unrecognized request URL (${request.method}: ${request.path}). Please see https://stripe.com/docs.`
  throw new StripeError(404, { type: 'invalid_request_error', message })
}

function refuseAtTheDoor(fault: MetFault | undefined): void {
  if (!fault || fault.kind === 'hold' || fault.kind === 'slow') return
  fault.arrive()
  if (fault.kind === 'unavailable') {
    throw new StripeError(503, { type: 'api_error', message: 'Service unavailable' }, { 'stripe-should-retry': 'true' })
  }
  if (fault.kind === 'rate-limit') {
    const message = 'Request rate limit exceeded.'
    throw new StripeError(429, { type: 'invalid_request_error', code: 'rate_limit', message })
  }
}

/** The effect is there, the answer is not yet, and the key counts as in use. */
async function linger(fault: MetFault | undefined): Promise<void> {
  if (fault?.kind !== 'slow' && fault?.kind !== 'hold') return
  fault.arrive()
  await (fault.kind === 'slow' ? Promise.race([wait(fault.delayMs), fault.released]) : fault.released)
}

function replay(saved: SavedResult): Answer {
  const { status = 500, body = '' } = saved.answer ?? {}
  return { status, headers: { 'idempotent-replayed': 'true', 'original-request': saved.requestId }, body }
}

function asAnswer(thrown: unknown): Answer {
  const error = thrown instanceof StripeError ? thrown : unexpected(thrown)
  return { status: error.status, headers: error.headers, body: JSON.stringify(error.body(), null, 2) }
}

function unexpected(error: unknown): StripeError {
  console.error('stripe-emulator:', error)
  return internalError()
}

function baseHeaders(request: Request, requestId: string): Record<string, string> {
  const key = request.method === 'POST' ? header(request, 'idempotency-key') : null
  return {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Request-Id',
    'content-type': 'application/json',
    'request-id': requestId,
    'stripe-version': header(request, 'stripe-version') ?? apiVersion,
    ...(key === null ? {} : { 'idempotency-key': key, 'original-request': requestId }),
  }
}

function header(request: Request, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}

function takeText(raw: RawHash, name: string): string | undefined {
  const value = raw.get(name)
  raw.delete(name)
  return typeof value === 'string' ? value : undefined
}
