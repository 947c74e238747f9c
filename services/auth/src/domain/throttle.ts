/** What is kept per person, address or account. */
export type Counter = { count: number; startedAt: Date; lastAt: Date; blockedUntil: Date | null }

/** Back-off: so many failures are free, then each doubles the wait; time forgives one after another. */
export type FailureLimit = { free: number; forgiveEverySeconds: number }
/** Quota: at most `max` within a window that starts with the first. */
export type UseLimit = { max: number; windowSeconds: number }

export type Decision = { allowed: true; next: Counter } | { allowed: false; retryAfterSeconds: number }

export const MAX_WAIT_SECONDS = 900

/** The wait after so many failures in a row. */
export const waitSeconds = (failures: number, free: number): number =>
  failures < free ? 0 : Math.min(MAX_WAIT_SECONDS, 2 ** (failures - free))

const after = (from: Date, seconds: number) => new Date(from.getTime() + seconds * 1000)
const secondsUntil = (time: Date, now: Date) => Math.max(1, Math.ceil((time.getTime() - now.getTime()) / 1000))

/** Counts an attempt as a failure before its outcome is known, so that no number of parallel guesses gets past the limit. */
export function countFailure(limit: FailureLimit, counter: Counter | undefined, now: Date): Decision {
  if (counter?.blockedUntil && counter.blockedUntil > now)
    return { allowed: false, retryAfterSeconds: secondsUntil(counter.blockedUntil, now) }
  const idleMs = counter ? now.getTime() - counter.lastAt.getTime() : 0
  const forgiven = Math.max(0, Math.floor(idleMs / 1000 / limit.forgiveEverySeconds))
  const standing = Math.max(0, (counter?.count ?? 0) - forgiven)
  const count = standing + 1
  const wait = waitSeconds(count, limit.free)
  return {
    allowed: true,
    next: {
      count,
      startedAt: standing > 0 && counter ? counter.startedAt : now,
      lastAt: now,
      blockedUntil: wait > 0 ? after(now, wait) : null,
    },
  }
}

/** Counts one use against a quota. */
export function countUse(limit: UseLimit, counter: Counter | undefined, now: Date): Decision {
  const ends = counter && after(counter.startedAt, limit.windowSeconds)
  const open = counter !== undefined && counter.count > 0 && ends !== undefined && ends > now
  if (open && counter.count >= limit.max) return { allowed: false, retryAfterSeconds: secondsUntil(ends, now) }
  return {
    allowed: true,
    next: {
      count: open ? counter.count + 1 : 1,
      startedAt: open ? counter.startedAt : now,
      lastAt: now,
      blockedUntil: null,
    },
  }
}
