import type { Request } from './connection.ts'

/** A signed-in browser: the cookie of its session, and what its writes carry. */
export type Browser = { email: string; cookie: string; csrfToken: string }

/** What a worker repeats, with the data it needs; each kind is played by a function of stories.ts. */
export type Script =
  /** One request after the other from a list, round and round, or each once. */
  | { kind: 'requests'; port: number; requests: Request[]; expect: string; from?: number; once?: boolean }
  /** One request of each browser's own, round and round. */
  | { kind: 'browsers'; port: number; own: Request[][]; expect: string }
  | {
      kind: 'checkout'
      port: number
      stripePort: number
      postgresUrl: string
      browsers: Browser[]
      baskets: { sku: string; qty: number }[][]
      destination: { country: string; postalCode: string }
      address: object
    }

export type Job = {
  script: Script
  concurrency: number
  warmupSeconds: number
  seconds: number
  /** Ends after so many repetitions, if that is earlier. */
  times?: number
}

export type Result = {
  /** Between the end of the warm-up and the last answer. */
  seconds: number
  /** Milliseconds, one per repetition, sorted. */
  latencies: number[]
  /** Distinct messages with their counts; a repetition that failed has no latency. */
  errors: Record<string, number>
  /** Where a list that is used once has got to. */
  position: number
  /** Orders placed in the measured time. */
  orderIds: string[]
}

export type FromLoad = { kind: 'ready' } | { kind: 'measuring' } | { kind: 'done'; result: Result }
