import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import type { CachePolicy } from './cache.ts'
import type { HttpEnv } from './context.ts'
import { refuseInvalid } from './input.ts'
import type { RateClass } from './rate-limit.ts'

/** `public`: anybody; `user`: a signed-in person; `vendor`: one who works for a vendor; `staff`: a platform role. */
export type RouteAuth = 'public' | 'user' | 'vendor' | 'staff'

/** The rules of a route, enforced before its handler runs. */
export type RouteFlags = {
  auth: RouteAuth
  rateClass: RateClass
  idempotent: boolean
  cache: CachePolicy | undefined
  personal: boolean
  csrf: boolean
  body: 'none' | 'json' | 'raw' | 'form' | 'stream'
  accepts: readonly string[]
  bodyLimitBytes: number
  timeoutMs: number | undefined
}

type Schema = z.ZodType
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** What a route declares. */
export type RouteSpec<
  M extends Method,
  P extends string,
  Params extends Schema | undefined,
  Query extends Schema | undefined,
  Body extends Schema | undefined,
  Answer extends Schema | undefined,
  Status extends 200 | 201 | 202 | 204,
> = {
  method: M
  /** `/products/{slug}` */
  path: P
  /** One line; it names the operation in the document. */
  summary: string
  description?: string
  tags?: string[]
  auth: RouteAuth
  params?: Params
  query?: Query
  /** The JSON body; use `z.strictObject`, so that unknown fields are refused. */
  body?: Body
  /** The answer's JSON; without one the route answers 204, or what `contentType` says. */
  response?: Answer
  /** Of the success; 200, or 204 without an answer. */
  status?: Status
  /** By default `read` for GET and `write` for the rest. */
  rateClass?: RateClass
  /** Requires an Idempotency-Key; `c.get('idempotencyKey')`. */
  idempotent?: boolean
  /**
   * Cache-Control on 200, an ETag on `c.json`, 304 for If-None-Match. Unless `private`, the route runs as a guest
   * whoever asks: what everybody may keep must not depend on who asked.
   */
  cache?: CachePolicy
  /** Public, but about whoever asks (a cart): while sessions are away it is refused, not answered as a guest's. */
  personal?: true
  /** False for callers that are no browsers and bring their own proof (webhooks); cookies are not looked at then. */
  csrf?: false
  /**
   * A body that is not JSON. `raw`: its bytes in `c.get('body')`, whatever the type (webhook signatures). `stream`: the
   * handler reads `bodyStream(c, limit)`. `form`: the handler calls `c.req.parseBody()`; its length must be declared.
   */
  upload?: { kind: 'raw' | 'stream' | 'form'; accepts: string[]; limitBytes: number }
  /** Bytes; 64 KiB. */
  bodyLimitBytes?: number
  /** When the answer is not JSON (CSV, PDF, HTML). */
  contentType?: string
  timeoutMs?: number
}

const DEFAULT_BODY_LIMIT = 64 * 1024

const errorSchema = z
  .object({
    error: z.object({
      code: z
        .string()
        .openapi({ description: 'Stable name of the problem, for programs', example: 'stock_insufficient' }),
      message: z.string().openapi({ description: 'A sentence for people' }),
      details: z.record(z.string(), z.unknown()),
      requestId: z.string(),
    }),
  })
  .openapi('Error')

const problem = (description: string) => ({ description, content: { 'application/json': { schema: errorSchema } } })

const flagsByMarker = new WeakMap<object, RouteFlags>()

/** The rules behind a handler that `route()` put into the chain. */
export const flagsOf = (handler: object): RouteFlags | undefined => flagsByMarker.get(handler)

/** Rules of what was not declared with `route()`: open, counted, no body. */
export const plainFlags = (method: string): RouteFlags =>
  method === 'GET' || method === 'HEAD' ? PLAIN_READ : PLAIN_WRITE

const PLAIN_READ: RouteFlags = {
  auth: 'public',
  rateClass: 'read',
  idempotent: false,
  cache: undefined,
  personal: false,
  csrf: true,
  body: 'none',
  accepts: ['application/json'],
  bodyLimitBytes: DEFAULT_BODY_LIMIT,
  timeoutMs: undefined,
}
const PLAIN_WRITE: RouteFlags = { ...PLAIN_READ, rateClass: 'write', body: 'json' }

type When<S, Shape> = S extends Schema ? Shape : object
type RequestOf<Params, Query, Body> = When<Params, { params: Params }> &
  When<Query, { query: Query }> &
  When<Body, { body: { content: { 'application/json': { schema: Body } }; required: true } }>
type ResponsesOf<Answer, Status extends number> = Answer extends Schema
  ? { [K in Status]: { description: string; content: { 'application/json': { schema: Answer } } } }
  : { [K in Status]: { description: string } }

/**
 * Declares a route: what it takes and answers, who may call it, what it costs. Hand it to `app.openapi(route,
 * handler)`; the handler's input and answer are typed by the schemas, and the common errors are documented.
 */
export function route<
  const M extends Method,
  const P extends string,
  Params extends Schema | undefined = undefined,
  Query extends Schema | undefined = undefined,
  Body extends Schema | undefined = undefined,
  Answer extends Schema | undefined = undefined,
  const Status extends 200 | 201 | 202 | 204 = Answer extends Schema ? 200 : 204,
>(spec: RouteSpec<M, P, Params, Query, Body, Answer, Status>) {
  const reads = spec.method === 'get'
  const flags: RouteFlags = {
    auth: spec.auth,
    rateClass: spec.rateClass ?? (reads ? 'read' : 'write'),
    idempotent: spec.idempotent ?? false,
    cache: spec.cache,
    personal: spec.personal ?? false,
    csrf: spec.csrf ?? true,
    body: spec.upload?.kind ?? (spec.body ? 'json' : 'none'),
    accepts: spec.upload?.accepts ?? ['application/json'],
    bodyLimitBytes: spec.upload?.limitBytes ?? spec.bodyLimitBytes ?? DEFAULT_BODY_LIMIT,
    timeoutMs: spec.timeoutMs,
  }
  if (flags.cache && !flags.cache.private && flags.auth !== 'public')
    throw new Error(`${spec.path}: only a public route may be cached for everybody`)
  // Fails instead of running unguarded when the route is mounted where `createApp` does not see it.
  const marker: MiddlewareHandler<HttpEnv> = (c, next) => {
    if (c.get('flags') !== flags)
      throw new Error(`${spec.path}: its rules were not enforced; mount it on createApp's app`)
    return next()
  }
  flagsByMarker.set(marker, flags)

  const status = spec.status ?? (spec.response || spec.contentType ? 200 : 204)
  const success = spec.response
    ? { description: 'Success', content: { 'application/json': { schema: spec.response } } }
    : spec.contentType
      ? { description: 'Success', content: { [spec.contentType]: { schema: { type: 'string' } } } }
      : { description: 'Success' }
  const body = spec.body
    ? { content: { 'application/json': { schema: spec.body } }, required: true }
    : spec.upload && {
        content: Object.fromEntries(
          spec.upload.accepts.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
        ),
      }
  const config = {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    ...(spec.description ? { description: spec.description } : {}),
    ...(spec.tags ? { tags: spec.tags } : {}),
    security: spec.auth === 'public' ? [] : [{ session: [] }, { bearer: [] }],
    'x-auth': spec.auth,
    'x-rate-class': flags.rateClass,
    ...(spec.timeoutMs ? { 'x-timeout-ms': spec.timeoutMs } : {}),
    ...(flags.idempotent ? { parameters: [IDEMPOTENCY_PARAMETER] } : {}),
    request: {
      ...(spec.params ? { params: spec.params } : {}),
      ...(spec.query ? { query: spec.query } : {}),
      ...(body ? { body } : {}),
    },
    responses: { [status]: success, ...problems(spec, flags) },
    middleware: marker,
  }
  return createRoute(config as never) as unknown as {
    method: M
    path: P
    request: RequestOf<Params, Query, Body>
    responses: ResponsesOf<Answer, Status>
    middleware: MiddlewareHandler<HttpEnv>
    getRoutingPath(): string
  }
}

const IDEMPOTENCY_PARAMETER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description: 'Chosen by the client, the same for every repetition of one intent; 1 to 255 visible ASCII characters.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

function problems(spec: { method: Method; params?: unknown }, flags: RouteFlags) {
  const writes = spec.method !== 'get'
  return {
    400: problem('The request is not understood; `details.fields` names the fields'),
    ...(flags.auth === 'public' ? {} : { 401: problem('Not signed in') }),
    ...(flags.auth === 'public' && !writes ? {} : { 403: problem('Not allowed') }),
    ...(spec.params ? { 404: problem('Missing, or not yours') } : {}),
    ...(writes
      ? { 409: problem('Exists already, or lost a race'), 422: problem('Not possible in the present state') }
      : {}),
    ...(flags.body === 'none' ? {} : { 413: problem('Body too large'), 415: problem('Wrong content type') }),
    429: problem('Too many requests; see Retry-After'),
    500: problem('Our fault'),
    503: problem('A dependency is away; see Retry-After'),
    504: problem('A dependency took too long'),
  }
}

/** An empty router for one file of routes; mount it with `app.route('/v1', cartRoutes)` once it is complete. */
export const createRoutes = (): OpenAPIHono<HttpEnv> => new OpenAPIHono<HttpEnv>({ defaultHook: refuseInvalid })
