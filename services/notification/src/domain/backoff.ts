/**
 * When to try again after attempt number `attempts` (from 1): the schedule's pause, a fifth more or less so that a crowd of
 * failures spreads out, or what the other side asked for when that is longer. Undefined: that was the last one.
 */
export function nextAttempt(
  now: Date,
  attempts: number,
  retrySeconds: readonly number[],
  retryAfterSeconds = 0,
  random: () => number = Math.random,
): Date | undefined {
  const pause = retrySeconds[attempts - 1]
  if (pause === undefined) return undefined
  const seconds = Math.max(pause * (0.8 + 0.4 * random()), Math.min(retryAfterSeconds, 86_400))
  return new Date(now.getTime() + seconds * 1000)
}

/**
 * What a failed attempt leads to: how many attempts count, and when the next one is. One that failed because we were away ourselves
 * does not count, and is made again after the schedule's first pause, however often that was: what is told must not depend on it.
 */
export const retryOf = (
  now: Date,
  attempts: number,
  retrySeconds: readonly number[],
  { isOutage = false, retryAfterSeconds = 0 }: { isOutage?: boolean; retryAfterSeconds?: number },
): { attempts: number; again: Date | undefined } =>
  isOutage
    ? { attempts: attempts - 1, again: nextAttempt(now, 1, retrySeconds) }
    : { attempts, again: nextAttempt(now, attempts, retrySeconds, retryAfterSeconds) }
