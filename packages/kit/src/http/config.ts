import { z } from 'zod'
import { chassis, flag, int, redis } from '../config.ts'

const list = () =>
  z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((item) => item.trim().replace(/\/$/, ''))
        .filter(Boolean),
    )

/** What every BFF reads. */
export const bff = {
  ...chassis,
  ...redis,
  HTTP_PORT: int(8080),
  /** Other origins whose pages may call this API with cookies, comma separated: `https://shop.example`. */
  ALLOWED_ORIGINS: list(),
  /** Seals session state in Redis; at least 32 characters. Comma separated while rotating, the newest first. */
  SESSION_SECRET: z.string({ error: 'is missing' }).min(32, 'must have at least 32 characters'),
  /** `Secure` and `__Host-` cookies plus HSTS; false only for development over plain HTTP. */
  COOKIE_SECURE: flag(true),
  SESSION_IDLE_MINUTES: int(30, 1),
  SESSION_ABSOLUTE_HOURS: int(12, 1),
  /** How many proxies in front of us append to X-Forwarded-For; 0 ignores the header. */
  TRUST_PROXY: int(0),
  /** After SIGTERM, how long open connections may still bring requests: as long as idle ones live, so that none is cut off. */
  DRAIN_SECONDS: int(10),
  /** The time a request gets unless its route says otherwise. */
  REQUEST_TIMEOUT_MS: int(5_000, 100),
  /** Requests worked on at once; half as many more may wait for a quarter of a second, the others get 503 at once. */
  MAX_IN_FLIGHT: int(64, 1),
  /** Budgets that differ from the defaults: `{"login":{"address":"20/60"},"*":{"subject":"1000/60"}}`. */
  RATE_LIMITS: z
    .string()
    .default('{}')
    .transform((text, ctx): RateLimitSettings => {
      try {
        return rateLimitSettings.parse(JSON.parse(text))
      } catch (error) {
        ctx.addIssue({ code: 'custom', message: `is not a JSON object of budgets: ${(error as Error).message}` })
        return z.NEVER
      }
    }),
}

const budget = z.string().regex(/^[1-9]\d*\/[1-9]\d*$/, 'a budget reads "requests/seconds"')
const rateLimitSettings = z.record(
  z.string(),
  z.strictObject({ address: budget.exactOptional(), subject: budget.exactOptional() }),
)

/** Per route class (or `*`), the budget of one address and of one session or user, as `requests/seconds`. */
export type RateLimitSettings = Record<string, { address?: string; subject?: string }>
