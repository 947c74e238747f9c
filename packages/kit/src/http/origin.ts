import { timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { denied } from '../errors.ts'
import type { HttpEnv } from './context.ts'

const REQUEST_HEADERS = 'Content-Type, Authorization, X-CSRF-Token, Idempotency-Key, X-Request-Id, If-None-Match'
const EXPOSED_HEADERS =
  'X-Request-Id, ETag, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Location'

export type OriginPolicy = {
  /** Lets pages of a trusted origin read the answer. */
  allow(c: Context<HttpEnv>): void
  /** The answer to a preflight; one without permissions for an origin that is not trusted. */
  preflight(c: Context<HttpEnv>, methods: string): Response
  /**
   * Refuses a write that another site's page started: 403 `origin_forbidden`. Programs send neither header and pass.
   */
  checkWrite(c: Context<HttpEnv>): void
}

/** Who may call from a page: this host's own pages and the trusted origins. */
export function createOriginPolicy(trustedOrigins: readonly string[]): OriginPolicy {
  const trusted = new Set(trustedOrigins)
  const own = (c: Context<HttpEnv>, origin: string) =>
    origin.slice(origin.indexOf('://') + 3) === (c.req.header('host') ?? new URL(c.req.url).host)
  return {
    allow(c) {
      c.header('Vary', 'Origin')
      const origin = c.req.header('origin')
      if (origin === undefined || !trusted.has(origin)) return
      c.header('Access-Control-Allow-Origin', origin)
      c.header('Access-Control-Allow-Credentials', 'true')
      c.header('Access-Control-Expose-Headers', EXPOSED_HEADERS)
    },
    preflight(c, methods) {
      c.header('Allow', methods)
      if (trusted.has(c.req.header('origin') ?? '')) {
        c.header('Access-Control-Allow-Methods', methods)
        c.header('Access-Control-Allow-Headers', REQUEST_HEADERS)
        c.header('Access-Control-Max-Age', '600')
      }
      return c.body(null, 204)
    },
    checkWrite(c) {
      const origin = c.req.header('origin')
      const site = c.req.header('sec-fetch-site')
      const known = origin !== undefined && (trusted.has(origin) || own(c, origin))
      const foreign = origin !== undefined ? !known : site !== undefined && site !== 'same-origin' && site !== 'none'
      // A page of another site cannot forge Sec-Fetch-Site; only a listed origin outweighs it.
      const crossSite =
        (site === 'cross-site' || site === 'same-site') && !(origin !== undefined && trusted.has(origin))
      if (foreign || crossSite) throw denied('origin_forbidden', 'this page may not call this address')
    },
  }
}

/**
 * The second lock on writes with a cookie: the session's token in `x-csrf-token` (403 `csrf_token_invalid`), and an
 * Origin or Sec-Fetch-Site header, which every browser sends (403 `origin_required`).
 */
export function checkCsrf(c: Context<HttpEnv>, expected: string): void {
  if (c.req.header('origin') === undefined && c.req.header('sec-fetch-site') === undefined)
    throw denied('origin_required', 'send an Origin header')
  const given = Buffer.from(c.req.header('x-csrf-token') ?? '')
  const wanted = Buffer.from(expected)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw denied('csrf_token_invalid', "send the session's CSRF token as x-csrf-token")
}
