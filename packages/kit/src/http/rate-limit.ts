import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import type { Redis } from 'ioredis'
import { AppError, unavailable } from '../errors.ts'
import type { Log } from '../log.ts'
import type { RateLimitSettings } from './config.ts'
import type { HttpEnv } from './context.ts'

/** What a route costs; `login` is for everything that tries a secret, `coupon` for everything that tries a code. */
export type RateClass = 'read' | 'write' | 'login' | 'checkout' | 'coupon' | 'upload' | 'export' | 'webhook'

/** `requests/seconds`: so many at once, refilled evenly. One address may stand for a whole office, so it gets more. */
const DEFAULTS: Record<RateClass, { address: string; subject: string; whenDown: 'open' | 'closed' }> = {
  read: { address: '1200/60', subject: '600/60', whenDown: 'open' },
  write: { address: '300/60', subject: '120/60', whenDown: 'open' },
  login: { address: '30/60', subject: '10/60', whenDown: 'closed' },
  checkout: { address: '60/60', subject: '20/60', whenDown: 'open' },
  coupon: { address: '60/60', subject: '20/60', whenDown: 'closed' },
  upload: { address: '120/60', subject: '60/60', whenDown: 'open' },
  export: { address: '30/60', subject: '10/60', whenDown: 'open' },
  webhook: { address: '3000/60', subject: '3000/60', whenDown: 'open' },
}

/** What is left of the tightest budget. */
export type RateState = { limit: number; remaining: number; resetSeconds: number }

export type RateLimiter = {
  /**
   * Takes one request out of the address's and the subject's budget, from both or from none. 429 `rate_limited` when
   * one is spent. With Redis away: undefined, or 503 `limits_unavailable` for classes that must not go uncounted.
   */
  take(rateClass: RateClass, address: string | undefined, subject: string | undefined): Promise<RateState | undefined>
  /** The same for an address alone, from what this process has in hand; undefined when Redis must be asked. */
  takeAtOnce(rateClass: RateClass, address: string): RateState | undefined
}

/**
 * GCRA over several keys at once: a key holds the theoretical arrival time (µs, Redis' own clock, so that instances
 * agree). ARGV: per key the interval between requests and the burst's length, µs, and how many requests to take, or as
 * many as there are. Answers { refused?, index of the tightest key, requests left, µs until full, µs until the next is
 * allowed, then per key how many were taken }.
 */
const GCRA = `
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local tightest, left, reset, arrivals, taken = 1, nil, 0, {}, {}
for i, key in ipairs(KEYS) do
  local interval, burst, wanted = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local before = math.max(tonumber(redis.call('GET', key) or now), now)
  local free = math.floor((burst - (before - now)) / interval)
  if free < 1 then return { 1, i, 0, before - now, before + interval - burst - now } end
  taken[i] = math.min(wanted, free)
  arrivals[i] = before + interval * taken[i]
  if left == nil or free - taken[i] < left then tightest, left, reset = i, free - taken[i], arrivals[i] - now end
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', arrivals[i]), 'PX', math.ceil((arrivals[i] - now) / 1000) + 1)
end
return { 0, tightest, left, reset, 0, unpack(taken) }
`

/** What was taken in advance is spent within this time or lost. */
const LEASE_MS = 250
/** No more than this part of a budget is in one process's hand. */
const LEASE_PART = 100

type Budget = { count: number; intervalUs: number; burstUs: number }
/** Requests of one key that this process may let through without asking. */
type Lease = { left: number; taken: number; until: number; state: RateState }
type Scripted = Redis & { haatGcra(keys: number, ...args: (string | number)[]): Promise<number[]> }

/**
 * Limits shared by all instances that use the same Redis and `name`. A key that is busy is counted in advance, twice as many
 * requests each time up to a hundredth of its budget, so that Redis is not asked about each; never is more let through
 * than the budget allows.
 */
export function createRateLimiter(options: {
  redis: Redis
  name: string
  log: Log
  settings?: RateLimitSettings
}): RateLimiter {
  const redis = options.redis as Scripted
  redis.defineCommand('haatGcra', { lua: GCRA })
  const classes = Object.fromEntries(
    Object.entries(DEFAULTS).map(([name, defaults]) => {
      const own = { ...options.settings?.['*'], ...options.settings?.[name] }
      const budgets = {
        address: budget(own.address ?? defaults.address),
        subject: budget(own.subject ?? defaults.subject),
      }
      return [name, { ...budgets, whenDown: defaults.whenDown, prefix: `rate:${options.name}:${name}:` }]
    }),
  ) as Record<RateClass, { address: Budget; subject: Budget; whenDown: 'open' | 'closed'; prefix: string }>
  let warnedAt = 0
  const leases = new Map<string, Lease>()

  /** What the key's next request takes: one, or twice what was spent in time. */
  const wanted = (key: string, { count }: Budget, now: number): number => {
    const lease = leases.get(key)
    if (!lease || lease.until + LEASE_MS < now) return 1
    return Math.max(1, Math.min(2 * (lease.taken - lease.left), Math.floor(count / LEASE_PART)))
  }
  const inHand = (key: string, now: number): Lease | undefined => {
    const lease = leases.get(key)
    return lease && lease.left > 0 && lease.until > now ? lease : undefined
  }
  const remember = (key: string, taken: number, now: number, state: RateState) => {
    const left = (inHand(key, now)?.left ?? 0) + taken - 1
    // Set anew, so that the first ones are the oldest.
    leases.delete(key)
    leases.set(key, { left, taken: left + 1, until: now + LEASE_MS, state })
    for (const [oldest, lease] of leases) {
      if (lease.until + LEASE_MS >= now) break
      leases.delete(oldest)
    }
  }
  const spend = (held: Lease[]): RateState => {
    for (const lease of held) lease.left -= 1
    const [tightest] = held.sort((a, b) => a.state.remaining + a.left - (b.state.remaining + b.left))
    return { ...tightest!.state, remaining: tightest!.state.remaining + tightest!.left }
  }

  return {
    takeAtOnce(rateClass, address) {
      const lease = inHand(`${classes[rateClass].prefix}a:${address}`, performance.now())
      return lease && spend([lease])
    },
    async take(rateClass, address, subject) {
      const rules = classes[rateClass]
      const keys: string[] = []
      const budgets: Budget[] = []
      if (address !== undefined) {
        keys.push(`${rules.prefix}a:${address}`)
        budgets.push(rules.address)
      }
      if (subject !== undefined) {
        keys.push(`${rules.prefix}s:${subject}`)
        budgets.push(rules.subject)
      }
      const now = performance.now()
      const held = keys.flatMap((key) => inHand(key, now) ?? [])
      if (held.length === keys.length) return spend(held)
      const args = budgets.flatMap((one, i) => [one.intervalUs, one.burstUs, wanted(keys[i]!, one, now)])
      let answer: number[]
      try {
        answer = await redis.haatGcra(keys.length, ...keys, ...args)
      } catch (err) {
        if (Date.now() - warnedAt > 10_000) {
          warnedAt = Date.now()
          options.log.warn({ err, rateClass }, 'requests are not counted')
        }
        if (rules.whenDown === 'closed') throw unavailable('limits_unavailable', 'try again in a moment')
        return undefined
      }
      const [refused, index = 1, remaining = 0, resetUs = 0, waitUs = 0, ...taken] = answer
      const state = { limit: budgets[index - 1]!.count, remaining, resetSeconds: Math.ceil(resetUs / 1e6) }
      if (refused) throw new RateLimited(state, Math.max(1, Math.ceil(waitUs / 1e6)))
      for (const [i, key] of keys.entries()) remember(key, taken[i] ?? 1, now, state)
      // What is in hand is not gone yet.
      return { ...state, remaining: remaining + (taken[index - 1] ?? 1) - 1 }
    },
  }
}

/** 429 `rate_limited`, with the budget it ran out of. */
export class RateLimited extends AppError {
  readonly state: RateState

  constructor(state: RateState, retryAfterSeconds: number) {
    super('RESOURCE_EXHAUSTED', 'rate_limited', 'too many requests, slow down', { retryAfterSeconds })
    this.state = state
  }
}

/**
 * Counts this request against one more thing, e.g. the account somebody tries to sign in to:
 * `await limitBy(c, 'login', body.email.toLowerCase())`. The parts are hashed before they leave the process.
 */
export async function limitBy(c: Context<HttpEnv>, rateClass: RateClass, ...parts: string[]): Promise<void> {
  const subject = createHash('sha256').update(parts.join('\0')).digest('base64url')
  await c.get('parts').limiter.take(rateClass, undefined, `k:${subject}`)
}

function budget(text: string): Budget {
  const [count = 1, seconds = 1] = text.split('/').map(Number)
  const intervalUs = Math.max(1, Math.floor((seconds * 1e6) / count))
  return { count, intervalUs, burstUs: intervalUs * count }
}
