/** `duplicate` had no effect; `retry` will be tried again; `dead` is in the dead-letter queue; `requeued` could not be parked. */
export type Outcome = 'ok' | 'duplicate' | 'retry' | 'dead' | 'requeued'

/** What the event machinery measures. */
export type EventMetrics = {
  /** An event was confirmed by the broker. */
  published(type: string): void
  /** One attempt of a handler ended. */
  handled(type: string, outcome: Outcome, seconds: number): void
  /** Age in seconds of the oldest event that is committed but not published; 0 when there is none. */
  lag?(seconds: number): void
}

export const noMetrics: EventMetrics = { published() {}, handled() {} }
