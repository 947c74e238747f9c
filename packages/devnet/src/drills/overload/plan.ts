/** One request as the load generator sends it. */
export type Request = { method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: string }

export type Kind = 'product' | 'list' | 'cart' | 'summary' | 'order'

/** What visitors do, in parts of a hundred. */
export const MIX: Record<Kind, number> = { product: 45, list: 20, cart: 20, summary: 10, order: 5 }

/** What the generator may send; orders once each, the others again and again. */
export type Supply = Record<Kind, Request[]>

/** To the generator: the supply first, then one phase after the other. */
export type Order = { supply: { url: string; requests: Supply } } | { phase: { perSecond: number; seconds: number } }

/** What happened to the requests that were sent in one second. */
export type Second = {
  offered: number
  /** Answered as wished, by kind. */
  good: Partial<Record<Kind, number>>
  /** Other answers: `503 overloaded`, `504 deadline_exceeded`, `hung`. */
  other: Record<string, number>
  /** Milliseconds that good answers took. */
  goodMs: number[]
  /** Milliseconds until a refusal (429, 503) was there. */
  refusedMs: number[]
  /** Refusals without Retry-After. */
  withoutRetryAfter: number
}

export type Report = { seconds: Second[]; ordersLeft: number }
