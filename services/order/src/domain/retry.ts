const FIRST_SECONDS = 5
const LONGEST_SECONDS = 600

/** When to try again after so many failures: 5 s, doubled each time, ten minutes at most. */
export const retryAt = (now: Date, failures: number): Date =>
  new Date(now.getTime() + Math.min(FIRST_SECONDS * 2 ** Math.min(failures, 20), LONGEST_SECONDS) * 1000)
