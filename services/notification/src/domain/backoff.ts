/**
 * When to ask a neighbour again that was away: after the schedule's first pause, however often that was. Such an attempt does not
 * count, since what is told must not depend on how long we were away ourselves.
 */
export const afterOutage = (now: Date, retrySeconds: readonly number[], random?: () => number): Date | undefined =>
  nextAttempt(now, 1, retrySeconds, 0, random)

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
