/** When to try again after so many attempts: doubling from `firstSeconds` up to an hour. */
export function nextAttempt(now: Date, attempts: number, firstSeconds: number): Date {
  const seconds = Math.min(firstSeconds * 2 ** Math.min(Math.max(0, attempts - 1), 20), 3_600)
  return new Date(now.getTime() + seconds * 1000)
}
