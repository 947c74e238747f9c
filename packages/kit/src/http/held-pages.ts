import { constants, gzipSync } from 'node:zlib'
import type { RateClass } from './rate-limit.ts'

/** A whole public answer, ready to be sent again. */
export type HeldPage = {
  /** The pattern it matched, for logs and metrics. */
  route: string
  rateClass: RateClass
  /** Its bytes, a character each (`latin1`): Node sends such a string and the head before it in one write. */
  body: string
  /** The same gzipped, once somebody has asked for that; see `gzipped`. */
  gzip?: string
  tag: string
  contentType: string
  cacheControl: string
  /** Milliseconds of `performance.now()`: when its making began. Nothing in it is older by more than `PART_HOLD_MS`. */
  startedAt: number
}

export type HeldPages = {
  get(target: string): HeldPage | undefined
  /** Settles when whoever makes the page at this moment has ended, with or without it; undefined when nobody makes it. */
  making(target: string): Promise<void> | undefined
  /** Says that one begins to make the page; to be called when that has ended, with or without it. */
  begin(target: string): () => void
  put(target: string, page: HeldPage): void
}

/** How old what a public page shows can be: `HOLD_MS` in hand, and `PART_HOLD_MS` before that. */
export const BOUND_MS = 2_000
/** How long parts that many pages share (a vendor's name) may be in hand when a page is made: `holdMs` of `batched`. */
export const PART_HOLD_MS = 500
/** How long a public answer is sent again without asking anybody. */
export const HOLD_MS = BOUND_MS - PART_HOLD_MS
/**
 * What tells caches on the way how much of `max-age` is used up, RFC 9111 5.1: by the oldest part there can be, and rounded up, so
 * that the bound holds.
 */
export const ageOf = ({ startedAt }: HeldPage): string =>
  String(Math.ceil((performance.now() - startedAt + PART_HOLD_MS) / 1000))
/** Not counting the gzipped forms, which take a fraction of it. */
const MAX_BYTES = 32 * 1024 * 1024
/** Less than this goes in one packet anyway. */
const GZIP_FROM_BYTES = 1_024

/**
 * The page's gzipped bytes, for a client whose Accept-Encoding (RFC 9110, 12.5.3) names gzip; undefined when it goes as it is.
 * Compressed when it is first asked for and then sent to everybody: the least of zlib's levels, which leaves JSON no larger than the
 * others do. Only what everybody may read is compressed: a secret beside something that a stranger can choose would show in the length
 * (BREACH).
 */
export function gzipped(page: HeldPage, acceptEncoding: string | undefined): string | undefined {
  if (page.body.length < GZIP_FROM_BYTES || !takesGzip(acceptEncoding)) return undefined
  page.gzip ??= gzipSync(Buffer.from(page.body, 'latin1'), { level: constants.Z_BEST_SPEED }).toString('latin1')
  return page.gzip
}

const takesGzip = (acceptEncoding = ''): boolean => {
  const named = /(?:^|[\s,])gzip\s*(?:;\s*q=([\d.]+)\s*)?(?:,|$)/i.exec(acceptEncoding)
  return named !== null && Number(named[1] ?? 1) > 0
}

/**
 * Public answers by path and query, each for a second and a half, and made by one of those who ask for it at once: whatever the load,
 * a page is made once in that time at most in each process, and no invalidation can get lost. The oldest go first when there are too
 * many.
 */
export function createHeldPages({ holdMs = HOLD_MS, maxBytes = MAX_BYTES } = {}): HeldPages {
  // A page that is made again goes to the end: the map's order is nearly that of age, which is good enough to drop by.
  const pages = new Map<string, HeldPage>()
  const making = new Map<string, Promise<void>>()
  let bytes = 0

  const drop = (target: string, page: HeldPage) => {
    pages.delete(target)
    bytes -= page.body.length
  }
  return {
    get(target) {
      const page = pages.get(target)
      return page && performance.now() - page.startedAt < holdMs ? page : undefined
    },
    making: (target) => making.get(target),
    begin(target) {
      const { promise, resolve } = Promise.withResolvers<void>()
      making.set(target, promise)
      return () => {
        if (making.get(target) === promise) making.delete(target)
        resolve()
      }
    },
    put(target, page) {
      const outdated = performance.now() - holdMs
      if (page.startedAt <= outdated || page.body.length > maxBytes) return
      const before = pages.get(target)
      if (before) drop(target, before)
      pages.set(target, page)
      bytes += page.body.length
      for (const [oldest, held] of pages) {
        if (held.startedAt > outdated && bytes <= maxBytes) break
        drop(oldest, held)
      }
    },
  }
}
