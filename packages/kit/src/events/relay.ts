import type { Log } from '../log.ts'
import type { Envelope } from './envelope.ts'
import type { EventMetrics } from './metrics.ts'

/**
 * Every so many turns of the timer sources search: they are told of what is new, and what a crash has left can wait a little. The
 * other turns are for what could not be published at once.
 */
const SEARCH_EVERY = 6

/** Sends events and answers the ids that are safe with the broker. */
export type Publish = (events: readonly Envelope[]) => Promise<Set<string>>

/** Where committed events wait: an outbox table, or the documents they belong to. */
export type Source = {
  /**
   * Takes a batch no other process holds, publishes it and forgets what was confirmed. `oldest` is when the first of the
   * batch occurred; `more` says that another batch may be waiting. Without `search` a source that was told where its events are
   * looks nowhere else.
   */
  drain(publish: Publish, search: boolean): Promise<{ oldest: Date | undefined; more: boolean }>
  /** How many events wait. */
  count(): Promise<number>
}

export type Relay = {
  /**
   * Starts a pass; during a pass, one more after it. Resolves when the pass begun after the call has ended. `search` as for a
   * source.
   */
  wake(search?: boolean): Promise<void>
  /** Events published by this process so far. */
  readonly published: number
  /** No pass after this one. */
  close(): Promise<void>
}

/**
 * Moves committed events to the broker, for ever: on every wake-up and every `intervalMs`. One pass at a time per process;
 * a crash between publishing and forgetting publishes again, which consumers recognise by the event id.
 */
export function startRelay(options: {
  sources: readonly Source[]
  publish: Publish
  isReady(): boolean
  log: Log
  metrics: EventMetrics
  intervalMs: number
}): Relay {
  const { log, metrics } = options
  let current: Promise<void> | undefined
  let next: Promise<void> | undefined
  let nextSearches = false
  let closed = false
  let published = 0
  let failing = false
  /** Something is known to wait. */
  let waits = false

  const publish: Publish = async (events) => {
    const confirmed = await options.publish(events)
    for (const event of events) if (confirmed.has(event.eventId)) metrics.published(event.type)
    published += confirmed.size
    if (confirmed.size < events.length) waits = true
    return confirmed
  }

  const drain = async (source: Source, search: boolean): Promise<number> => {
    let lag = 0
    for (;;) {
      const batch = await source.drain(publish, search)
      if (batch.oldest) lag = Math.max(lag, (Date.now() - batch.oldest.getTime()) / 1000)
      if (!batch.more || !options.isReady()) return batch.oldest ? lag : 0
    }
  }

  const pass = async (search: boolean) => {
    waits = !options.isReady()
    if (waits) return
    try {
      const lags: number[] = []
      for (const source of options.sources) lags.push(await drain(source, search))
      metrics.lag?.(Math.max(0, ...lags))
      failing = false
    } catch (err) {
      // Once per outage; the timer tries again.
      if (!failing && !closed) log.warn({ err }, 'events wait: the relay cannot read or forget them')
      failing = true
      waits = true
    }
  }

  const begin = (search: boolean): Promise<void> => {
    current = pass(search).finally(() => {
      current = undefined
    })
    return current
  }
  const wake = (search = true): Promise<void> => {
    if (closed) return current ?? Promise.resolve()
    if (!current && !next) return begin(search)
    nextSearches ||= search
    next ??= current!.then(() => {
      next = undefined
      const searches = nextSearches
      nextSearches = false
      return begin(searches)
    })
    return next
  }

  // The timer asks for no second pass: with a broker that does not answer, passes would follow each other without end.
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
    const search = turns % SEARCH_EVERY === 0
    if (!current && !next && (search || waits)) void begin(true)
  }, options.intervalMs)
  return {
    wake,
    get published() {
      return published
    },
    async close() {
      clearInterval(timer)
      closed = true
      await (next ?? current)
    },
  }
}
