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
}

/**
 * GCRA over several keys at once: a key holds the theoretical arrival time (µs, Redis' own clock, so that instances
 * agree). ARGV: per key the interval between requests and the burst's length, µs. Answers { refused?, index of the
 * tightest key, requests left, µs until full, µs until the next is allowed }.
 */
const GCRA = `
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local tightest, left, reset, arrivals = 1, nil, 0, {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local arrival = math.max(tonumber(redis.call('GET', key) or now), now) + interval
  local wait = arrival - burst - now
  if wait > 0 then return { 1, i, 0, arrival - interval - now, wait } end
  local free = math.floor((burst - (arrival - now)) / interval)
  if left == nil or free < left then tightest, left, reset = i, free, arrival - now end
  arrivals[i] = arrival
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', arrivals[i]), 'PX', math.ceil((arrivals[i] - now) / 1000) + 1)
end
return { 0, tightest, left, reset, 0 }
`

type Budget = { count: number; intervalUs: number; burstUs: number }
type Scripted = Redis & { haatGcra(keys: number, ...args: (string | number)[]): Promise<number[]> }

/** Limits shared by all instances that use the same Redis and `name`. One round trip per request. */
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

  return {
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
      const args = budgets.flatMap((one) => [one.intervalUs, one.burstUs])
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
      const [refused, index = 1, remaining = 0, resetUs = 0, waitUs = 0] = answer
      const state = { limit: budgets[index - 1]!.count, remaining, resetSeconds: Math.ceil(resetUs / 1e6) }
      if (refused) throw new RateLimited(state, Math.max(1, Math.ceil(waitUs / 1e6)))
      return state
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
