import { hash } from 'node:crypto'
import type { Context } from 'hono'
import type { HttpEnv } from './context.ts'

/** How long an answer may be reused, seconds. `private`: by the browser of that person only. */
export type CachePolicy = { maxAge: number; staleWhileRevalidate?: number; private?: boolean }

/** Sets Cache-Control. */
export function cacheable(c: Context<HttpEnv>, policy: CachePolicy): void {
  c.header('Cache-Control', cacheControl(policy))
  if (policy.private) c.header('Vary', 'Cookie, Authorization', { append: true })
}

/** `public, max-age=60, stale-while-revalidate=300` */
export function cacheControl(policy: CachePolicy): string {
  const stale = policy.staleWhileRevalidate ? `, stale-while-revalidate=${policy.staleWhileRevalidate}` : ''
  return `${policy.private ? 'private' : 'public'}, max-age=${policy.maxAge}${stale}`
}

/** The entity tag of a body; weak unless the bytes themselves matter (files, ranges). */
export function etag(body: string | Uint8Array, options: { strong?: boolean } = {}): string {
  const tag = `"${hash('sha1', body, 'base64url')}"`
  return options.strong ? tag : `W/${tag}`
}

/** Whether the client's If-None-Match holds this tag (compared weakly, as RFC 9110 asks). */
export function isFresh(ifNoneMatch: string | undefined, tag: string): boolean {
  if (!ifNoneMatch) return false
  if (ifNoneMatch.trim() === '*') return true
  const opaque = tag.replace(/^W\//, '')
  return ifNoneMatch.split(',').some((item) => item.trim().replace(/^W\//, '') === opaque)
}

/** A body with its entity tag, or 304 when the client holds it already. */
export function tagged(c: Context<HttpEnv>, body: string, contentType: string): Response {
  const tag = etag(body)
  if (isFresh(c.req.header('if-none-match'), tag)) return c.body(null, 304, { ETag: tag })
  return c.body(body, 200, { 'Content-Type': contentType, ETag: tag })
}
