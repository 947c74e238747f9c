import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Redis } from 'ioredis'
import { createAdmission, Overloaded } from '../admission.ts'
import { bearer, type Verifier } from '../auth.ts'
import { inCall } from '../call.ts'
import { AppError, denied, invalid, unauthenticated } from '../errors.ts'
import { type Log, plainLines } from '../log.ts'
import { addressOf, clientAddress, networkOf } from './address.ts'
import { type CachePolicy, cacheable, cacheControl, etag, isFresh, tagged } from './cache.ts'
import type { RateLimitSettings } from './config.ts'
import { HttpCall, type HttpEnv } from './context.ts'
import { docsHtml, docsPolicy } from './docs.ts'
import { ageOf, createHeldPages, gzipped, type HeldPage, type HeldPages } from './held-pages.ts'
import { idempotencyKey } from './idempotency.ts'
import { checkLength, checkUrl, lengthRequired, mediaType, parseJson, readBody } from './input.ts'
import { checkCsrf, createOriginPolicy } from './origin.ts'
import { errorResponse, HttpError, httpStatus, unsupportedType } from './problem.ts'
import { createRateLimiter, type RateClass, RateLimited, type RateLimiter, type RateState } from './rate-limit.ts'
import { createRoutes, flagsOf, plainFlags, type RouteFlags } from './route.ts'
import type { Sessions } from './sessions.ts'

export type App = OpenAPIHono<HttpEnv> & {
  /**
   * Answers a request that a page in hand answers, everything else a public GET owes included; false when the request has
   * to go through the app.
   */
  answerHeld(request: IncomingMessage, response: ServerResponse): boolean
}

export type AppOptions = {
  /** Also the namespace of its limits in Redis. */
  name: string
  /** For the document. */
  title?: string
  version?: string
  description?: string
  log: Log
  redis: Redis
  sessions: Sessions
  /** Accepts `Authorization: Bearer`; without it such requests are refused. */
  verify?: Verifier
  config: {
    TRUST_PROXY: number
    RATE_LIMITS: RateLimitSettings
    REQUEST_TIMEOUT_MS: number
    MAX_IN_FLIGHT: number
    COOKIE_SECURE: boolean
  }
  /** ALLOWED_ORIGINS: pages of these may call with cookies and read answers. */
  trustedOrigins: readonly string[]
  /** Response headers besides or instead of the defaults. */
  headers?: Record<string, string>
  /** Told of every answer; for metrics. */
  observe?: (answer: { method: string; route: string; status: number; seconds: number }) => void
}

const SAFE = new Set(['GET', 'HEAD'])
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const CHECKOUTS = new Set<RateClass>(['checkout', 'webhook'])
/** The part of the places that checkouts leave to the others, and the others to checkouts. */
const RESERVED = 1 / 4
/** An answer that took this part of its time is a sign of too much work at once. */
const SLOW = 1 / 5
const MAX_WAIT_MS = 250
const STAFF_ROLES = new Set(['super_admin', 'staff'])

/**
 * An app whose routes run after everything a public API owes: ids, log line, security headers, CORS, limits on what
 * comes in and on how much at once, who is asking, CSRF, rate limits, the route's own rules, one call for all gRPC
 * clients, one shape for all errors. `GET /openapi.json` and `GET /docs` describe whatever is mounted.
 */
export function createApp(options: AppOptions): App {
  const { log, config } = options
  const lines = plainLines(log)
  const pages = createHeldPages()
  const origins = createOriginPolicy(options.trustedOrigins)
  const limiter = createRateLimiter({ redis: options.redis, name: options.name, log, settings: config.RATE_LIMITS })
  const securityHeaders = Object.entries({
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    ...(config.COOKIE_SECURE ? { 'Strict-Transport-Security': 'max-age=63072000; includeSubDomains' } : {}),
    ...options.headers,
  })
  const answerHeld = createShortcut(options, { pages, limiter, securityHeaders })
  const app: App = Object.assign(createRoutes(), { answerHeld })
  const guard = createGuard(options, limiter, origins)
  const admission = createAdmission({
    maxInFlight: config.MAX_IN_FLIGHT,
    maxWaiting: Math.ceil(config.MAX_IN_FLIGHT / 2),
    maxWaitMs: MAX_WAIT_MS,
    reserved: RESERVED,
  })
  const countRefusals = createRefusalLog(log)
  const decorate = (c: Context<HttpEnv>, requestId: string, present?: Headers) => {
    c.header('X-Request-Id', requestId)
    for (const [name, value] of securityHeaders) if (!present?.has(name)) c.header(name, value)
    origins.allow(c)
  }

  const pipeline: MiddlewareHandler<HttpEnv> = async (c, next) => {
    const started = performance.now()
    const { method, flags, route } = matched(c)
    const timeoutMs = flags.timeoutMs ?? config.REQUEST_TIMEOUT_MS
    const requestId = requestIdFrom(c.req.header('x-request-id'))
    const call = new HttpCall({ request: c.req.raw, requestId, timeoutMs, log })
    c.set('call', call)
    c.set('flags', flags)
    decorate(c, call.requestId)
    try {
      if (method === 'OPTIONS' && route === undefined) c.res = origins.preflight(c, allowedMethods(app, c.req.path))
      else
        await inCall(call, async () => {
          const isShared = flags.cache !== undefined && !flags.cache.private && method === 'GET'
          const rank = CHECKOUTS.has(flags.rateClass) ? 'checkout' : isShared ? 'page' : 'other'
          const target = targetOf(c.req.url)
          // A page that is in hand, or on its way, is not work.
          const isThere = isShared && (pages.get(target) ?? pages.making(target)) !== undefined
          if (isShared) c.header('Vary', 'Accept-Encoding', { append: true })
          if (!isThere) admission.check(rank)
          // Outside the bound: a client that sends its body slowly takes nobody's place.
          await guard(c, call, flags, route !== undefined)
          let made: (() => void) | undefined
          let begun = started
          if (isShared) {
            let page = pages.get(target)
            const underway = page ? undefined : pages.making(target)
            if (underway) {
              await underway
              page = pages.get(target)
            }
            if (page) {
              c.res = pageResponse(c, page)
              return
            }
            made = pages.begin(target)
            answerWithTag(c, flags.cache!, (body, tag) => {
              const { rateClass, cache } = flags
              const contentType = 'application/json'
              const page = {
                route: route!,
                rateClass,
                body: Buffer.from(body).toString('latin1'),
                tag,
                contentType,
                cacheControl: cacheControl(cache!),
                startedAt: begun,
              }
              pages.put(target, page)
              return page
            })
          } else if (flags.cache) answerWithTag(c, flags.cache)
          try {
            const leave = await admission.enter(rank)
            begun = performance.now()
            await next().finally(() => leave(c.res.status < 500 && performance.now() - begun > SLOW * timeoutMs))
          } finally {
            made?.()
          }
        })
    } catch (error) {
      if (error instanceof Overloaded) countRefusals()
      // Only what this middleware threw; a handler's error has become an answer already.
      c.res = errorResponse(error, c)
    }
    call.finish()
    // A handler that answered with a Response of its own left these behind.
    if (!c.res.headers.has('X-Request-Id')) decorate(c, call.requestId, c.res.headers)
    const { status } = c.res
    const ms = performance.now() - started
    options.observe?.({ method, route: route ?? 'unmatched', status, seconds: ms / 1000 })
    lines.info(
      {
        requestId: call.requestId,
        method,
        route: route ?? 'unmatched',
        status,
        ms: Math.round(ms * 10) / 10,
        caller: call.caller.kind,
        ...(c.error instanceof AppError ? { code: c.error.code } : {}),
      },
      'request',
    )
  }
  app.use(pipeline)
  app.onError((error, c) => errorResponse(error, c))
  app.notFound((c) => {
    const allow = allowedMethods(app, c.req.path)
    const error = allow
      ? new HttpError(405, 'method_not_allowed', `use ${allow}`, {}, { Allow: allow })
      : new HttpError(404, 'route_not_found', 'there is nothing at this address')
    return errorResponse(error, c)
  })
  mountDocs(app, options)
  return app
}

/** One line for all requests refused in ten seconds. */
function createRefusalLog(log: Log): () => void {
  let refused = 0
  return () => {
    refused += 1
    if (refused > 1) return
    setTimeout(() => {
      log.warn({ refused }, 'requests refused: too much to do')
      refused = 0
    }, 10_000).unref()
  }
}

const requestIdFrom = (inbound: string | undefined): string =>
  inbound !== undefined && /^[\w.:-]{8,64}$/.test(inbound) ? inbound : randomUUID()

/** Path and query of an absolute URL. */
const targetOf = (url: string): string => url.slice(url.indexOf('/', 8))

function pageResponse(c: Context<HttpEnv>, page: HeldPage): Response {
  c.header('Cache-Control', page.cacheControl)
  c.header('Age', ageOf(page))
  if (isFresh(c.req.header('if-none-match'), page.tag)) return c.body(null, 304, { ETag: page.tag })
  return pageBody(c, page)
}

function pageBody(c: Context<HttpEnv>, page: HeldPage): Response {
  const { body, tag, contentType } = page
  const gzip = gzipped(page, c.req.header('accept-encoding'))
  return c.body(Buffer.from(gzip ?? body, 'latin1') as never, 200, {
    'Content-Type': contentType,
    ETag: tag,
    ...(gzip === undefined ? {} : { 'Content-Encoding': 'gzip' }),
  })
}

/**
 * The way of a public page that is in hand: counted, logged, measured and headed like every answer, but without the
 * objects that a request through the app is made of.
 */
function createShortcut(
  { log, config, observe }: AppOptions,
  of: { pages: HeldPages; limiter: RateLimiter; securityHeaders: [string, string][] },
): App['answerHeld'] {
  const lines = plainLines(log)
  const fixed = [
    ...of.securityHeaders.filter(([name]) => name !== 'Cache-Control').flat(),
    'Vary',
    'Origin, Accept-Encoding',
  ]
  return (request, response) => {
    const { headers } = request
    if (request.method !== 'GET' || headers.origin !== undefined) return false
    const page = of.pages.get(request.url!)
    if (!page) return false
    const peer = request.socket.remoteAddress
    const forwarded = headers['x-forwarded-for'] as string | undefined
    const address = networkOf(addressOf(peer, forwarded, config.TRUST_PROXY))
    if (!of.limiter.takeAtOnce(page.rateClass, address)) return false
    const started = performance.now()
    const requestId = requestIdFrom(headers['x-request-id'] as string | undefined)
    const own = ['X-Request-Id', requestId, 'Cache-Control', page.cacheControl, 'Age', ageOf(page), 'ETag', page.tag]
    const status = isFresh(headers['if-none-match'], page.tag) ? 304 : 200
    if (status === 304) response.writeHead(304, [...own, ...fixed]).end()
    else {
      const gzip = gzipped(page, headers['accept-encoding'] as string | undefined)
      const body = gzip ?? page.body
      own.push('Content-Type', page.contentType, 'Content-Length', String(body.length))
      if (gzip !== undefined) own.push('Content-Encoding', 'gzip')
      response.writeHead(200, [...own, ...fixed]).end(body, 'latin1')
    }
    const ms = performance.now() - started
    observe?.({ method: 'GET', route: page.route, status, seconds: ms / 1000 })
    const line = { requestId, method: 'GET', route: page.route, status, ms: Math.round(ms * 10) / 10 }
    lines.info({ ...line, caller: 'anonymous' }, 'request')
    return true
  }
}

/** What the router found: the rules, and the pattern for logs and metrics (undefined when nothing matched). */
function matched(c: Context<HttpEnv>): { method: string; flags: RouteFlags; route: string | undefined } {
  const { method } = c.req
  const routes = matchedRoutes(c)
  for (const { handler, path } of routes) {
    const flags = flagsOf(handler)
    if (flags) return { method, flags, route: path }
  }
  const last = routes.at(-1)
  return { method, flags: plainFlags(method), route: last && last.method !== 'ALL' ? last.path : undefined }
}

/** `GET, HEAD, POST` for a path; empty when no route has it. */
function allowedMethods(app: App, path: string): string {
  const found = METHODS.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  )
  return found.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
}

/** Everything between the wire and the handler. Cheap refusals first; the body is read last. */
function createGuard(options: AppOptions, limiter: RateLimiter, origins: ReturnType<typeof createOriginPolicy>) {
  const { sessions, verify, config } = options

  /** Sets the call's caller and answers the subject that budgets count, undefined for guests. */
  const identify = async (c: Context<HttpEnv>, call: HttpCall, flags: RouteFlags): Promise<string | undefined> => {
    const authorization = c.req.header('authorization')
    if (authorization !== undefined) {
      const token = bearer(authorization)
      if (!verify || token === undefined) throw unauthenticated('token_invalid', 'bearer tokens are not accepted here')
      call.caller = await verify(token)
      call.authorization = `Bearer ${token}`
      return `${call.caller.kind}:${call.caller.id}`
    }
    // Without the CSRF check a cookie proves nothing.
    if (!flags.csrf || c.req.header('cookie') === undefined) return undefined
    const safe = SAFE.has(c.req.method)
    let loaded: Awaited<ReturnType<Sessions['load']>>
    try {
      loaded = await sessions.load(c)
    } catch (error) {
      // Browsing goes on as a guest while sessions are away; a write, or a look into a cart, as somebody else would be wrong.
      if (safe && flags.auth === 'public' && !flags.personal && error instanceof AppError && httpStatus(error) >= 500) {
        call.log.warn({ code: error.code }, 'continues without its session')
        return undefined
      }
      throw error
    }
    if (!loaded) return undefined
    if (!safe) checkCsrf(c, loaded.session.csrfToken)
    call.caller = loaded.caller
    call.authorization = `Bearer ${loaded.accessToken}`
    c.set('session', loaded.session)
    return `${loaded.caller.kind}:${loaded.caller.id}`
  }

  const limit = async (c: Context<HttpEnv>, flags: RouteFlags, address: string, subject: string | undefined) => {
    // A copy in a shared cache must not carry one client's budget.
    const show = (state: RateState) => {
      if (flags.cache && !flags.cache.private) return
      c.header('RateLimit-Limit', String(state.limit))
      c.header('RateLimit-Remaining', String(state.remaining))
      c.header('RateLimit-Reset', String(state.resetSeconds))
    }
    try {
      const state = await limiter.take(flags.rateClass, address, subject)
      if (state) show(state)
    } catch (error) {
      if (error instanceof RateLimited) show(error.state)
      throw error
    }
  }

  return async (c: Context<HttpEnv>, call: HttpCall, flags: RouteFlags, routed: boolean): Promise<void> => {
    checkUrl(c.req.url)
    const address = clientAddress(c, config.TRUST_PROXY)
    const network = networkOf(address)
    c.set('parts', { limiter, address })
    if (!routed) {
      await limit(c, plainFlags('GET'), network, undefined)
      return
    }
    const writes = !SAFE.has(c.req.method)
    if (writes) {
      if (flags.csrf && c.req.header('authorization') === undefined) origins.checkWrite(c)
      checkBodyHeaders(c, flags)
    }
    const forEverybody = flags.cache !== undefined && !flags.cache.private
    let subject: string | undefined
    if (!forEverybody)
      try {
        subject = await identify(c, call, flags)
      } catch (error) {
        // Guessing tokens is counted like everything else.
        await limit(c, flags, network, undefined)
        throw error
      }
    await limit(c, flags, network, subject)
    if (flags.auth !== 'public') checkAuth(call, flags)
    if (flags.idempotent) c.set('idempotencyKey', idempotencyKey(c))
    if (writes) await takeBody(c, flags)
  }
}

function checkAuth({ caller }: HttpCall, { auth }: RouteFlags): void {
  if (caller.kind !== 'user') throw unauthenticated('login_required', 'sign in first')
  if (auth === 'vendor' && !caller.vendorId) throw denied('vendor_required', 'this is for vendors')
  if (auth === 'staff' && !caller.roles.some((role) => STAFF_ROLES.has(role)))
    throw denied('staff_required', 'this is for the staff')
}

/** 415, 413 and 411 by the headers alone. */
function checkBodyHeaders(c: Context<HttpEnv>, flags: RouteFlags): void {
  const type = mediaType(c)
  const accepted = flags.accepts
  if (type !== undefined) {
    const charset = /;\s*charset="?([^";\s]+)/i.exec(c.req.header('content-type')!)?.[1]
    const known = accepted.includes(type) || accepted.includes('*/*')
    if (!known || (flags.body === 'json' && charset !== undefined && !/^utf-?8$/i.test(charset)))
      throw unsupportedType(accepted.join(', '))
  } else if (hasBody(c) && !accepted.includes('*/*')) throw unsupportedType(accepted.join(', '))
  checkLength(c, flags.bodyLimitBytes)
  if (flags.body === 'form' && c.req.header('content-length') === undefined) throw lengthRequired()
}

const hasBody = (c: Context<HttpEnv>): boolean =>
  c.req.header('transfer-encoding') !== undefined || Number(c.req.header('content-length') ?? 0) > 0

/** Reads and parses what the route declares. Parsed once: validation gets the same value. */
async function takeBody(c: Context<HttpEnv>, flags: RouteFlags): Promise<void> {
  if (flags.body !== 'json' && flags.body !== 'raw') return
  const bytes = await readBody(c, flags.bodyLimitBytes)
  c.set('body', bytes)
  c.req.bodyCache.arrayBuffer = Promise.resolve(bytes) as never
  if (flags.body === 'raw') return
  if (bytes.byteLength === 0) {
    if (flags === plainFlags(c.req.method)) return
    throw invalid('body_required', 'send a JSON body')
  }
  if (mediaType(c) === undefined) throw unsupportedType(flags.accepts.join(', '))
  const value = parseJson(bytes)
  c.req.json = () => Promise.resolve(value as never)
}

/** `c.json` of a cached route: Cache-Control and ETag on 200, 304 when the client holds it; `keep` makes a page of what is answered. */
function answerWithTag(c: Context<HttpEnv>, policy: CachePolicy, keep?: (body: string, tag: string) => HeldPage): void {
  const plain = c.json
  c.json = ((value: unknown, status?: unknown, headers?: unknown) => {
    if (status !== undefined && status !== 200) return plain(value as never, status as never, headers as never)
    cacheable(c, policy)
    const body = JSON.stringify(value)
    const tag = etag(body)
    const page = keep?.(body, tag)
    if (isFresh(c.req.header('if-none-match'), tag)) return c.body(null, 304, { ETag: tag })
    if (page) return pageBody(c, page)
    return c.body(body, 200, { 'Content-Type': 'application/json', ETag: tag })
  }) as typeof c.json
}

function mountDocs(app: App, options: AppOptions): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: options.config.COOKIE_SECURE ? '__Host-sid' : 'sid',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
  })
  let document: string | undefined
  app.get('/openapi.json', (c) => {
    document ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: {
          title: options.title ?? options.name,
          version: options.version ?? '1',
          ...(options.description ? { description: options.description } : {}),
        },
      }),
    )
    cacheable(c, { maxAge: 60 })
    return tagged(c, document, 'application/json')
  })
  app.get('/docs', (c) => {
    c.header('Content-Security-Policy', docsPolicy)
    cacheable(c, { maxAge: 60 })
    return tagged(c, docsHtml, 'text/html; charset=utf-8')
  })
}

/**
 * For pages of a web app served beside the API: scripts, styles and calls from this origin only, plus what is listed
 * (`pagePolicy({ 'script-src': 'https://js.stripe.com' })`). Use as a middleware before the static files.
 */
export function pagePolicy(extra: Record<string, string> = {}): MiddlewareHandler<HttpEnv> {
  const rules: Record<string, string> = {
    'default-src': "'self'",
    'img-src': "'self' data: blob:",
    'style-src': "'self' 'unsafe-inline'",
    'frame-ancestors': "'none'",
    'base-uri': "'none'",
    'object-src': "'none'",
    'form-action': "'self'",
  }
  for (const [rule, sources] of Object.entries(extra)) rules[rule] = `${rules[rule] ?? "'self'"} ${sources}`
  const policy = Object.entries(rules)
    .map(([rule, sources]) => `${rule} ${sources}`)
    .join('; ')
  return async (c, next) => {
    c.header('Content-Security-Policy', policy)
    c.header('Cache-Control', 'no-cache')
    await next()
  }
}
