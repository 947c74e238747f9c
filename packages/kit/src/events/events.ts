import type { Kysely } from 'kysely'
import type { Db } from 'mongodb'
import { systemCall } from '../call.ts'
import { job, startJobs } from '../jobs.ts'
import type { Log } from '../log.ts'
import {
  archiveDocuments,
  ensureArchiveIndex,
  REPLAYED_EVENTS,
  replayDocuments,
  replayOutbox,
  sweepDocuments,
  sweepOutbox,
} from './archive.ts'
import { connectBroker, disconnectBroker, within } from './broker.ts'
import { createConsumer, type StartCall } from './consumer.ts'
import { onEmitted } from './emit.ts'
import { sweepInbox } from './inbox.ts'
import { type EventMetrics, noMetrics } from './metrics.ts'
import type { EventHandler } from './on.ts'
import { outboxSource } from './outbox.ts'
import { ensurePendingIndex, pendingSource } from './pending.ts'
import { openPublisher } from './publisher.ts'
import { type Source, startRelay } from './relay.ts'
import { createEventSealer } from './sealed.ts'
import { brokerObjects, DEFAULT_PREFIX, handlerQueues } from './topology.ts'

export type { EventHandler } from './on.ts'

/** Commits wake the relay themselves; the timer is for what a crash or a lost connection left. */
const RELAY_INTERVAL_MS = 5_000
const BROKER_WAIT_MS = 5_000
const SETTLE_TIMEOUT_MS = 15_000

export type EventOptions<Ctx> = {
  service: string
  /** AMQP URL. */
  url: string
  log: Log
  handlers: readonly EventHandler<Ctx>[]
  ctx: Ctx
  /** Delays between attempts in seconds; one attempt more than delays, then the dead-letter queue. */
  retrySeconds: readonly number[]
  /** EVENT_SECRET, the same in all services. */
  secrets: readonly string[]
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  db?: Kysely<any>
  /** Names the collections whose documents carry pending events. */
  mongo?: { db: Db; collections: readonly string[] }
  metrics?: EventMetrics
  /** Makes the call a handler runs in; a plain system call by default. */
  startCall?: StartCall
  /** `haat` by default; tests that share a broker take their own. */
  prefix?: string
  /** Publishes once more what was published since then: after a restore, or when the broker was lost. */
  replaySince?: Date | undefined
}

export type Events = {
  /** True while publishing is possible; part of the relay's readiness, not of the service's. */
  readonly ready: boolean
  /** Names of this service's handler queues. */
  readonly queues: readonly string[]
  /** Everything this service declares on the broker. */
  readonly brokerObjects: { queues: string[]; exchanges: string[] }
  /** Tells the relay which documents of a collection were written with pending events. */
  wake(collection: string, ids: readonly unknown[]): void
  /** One pass over what is committed, awaited. */
  relayNow(): Promise<void>
  /** Committed events that are not published. */
  pending(): Promise<number>
  /**
   * Waits until nothing is on its way: all committed events published, this service's queues empty, no handler running, no retry
   * due. Needs the only instance of the service; throws after 15 seconds.
   */
  settle(): Promise<void>
  /** Events published and attempts ended so far: several services are quiet when settling all of them moves nothing. */
  readonly moved: number
  /** Takes no more events and waits for the running handlers; the relay goes on. */
  stopConsuming(): Promise<void>
  /** Stops the consumers, makes a last relay pass and disconnects. */
  close(): Promise<void>
}

/**
 * Starts a service's share of the event machinery: topology, relay, one consumer per handler queue. A broker that is down
 * delays this by five seconds and stops nothing: events wait in their store until it is back.
 */
export async function startEvents<Ctx>(options: EventOptions<Ctx>): Promise<Events> {
  const { service, db } = options
  const log = options.log.child({ part: 'events' })
  const metrics = options.metrics ?? noMetrics
  const prefix = options.prefix ?? DEFAULT_PREFIX
  const queues = handlerQueues(service, options.handlers)
  for (const { event, handle } of options.handlers)
    if (handle.kind === 'transactional' && !db)
      throw new Error(`on(${event.type}) needs PostgreSQL; use onIdempotent()`)

  const sealer = createEventSealer(options.secrets)
  const mongo = options.mongo?.collections.length ? options.mongo : undefined
  const collections = mongo ? [...mongo.collections, REPLAYED_EVENTS].map((name) => mongo.db.collection(name)) : []
  const documents = new Map(
    collections.map((collection) => [
      collection.collectionName,
      pendingSource(collection, service, sealer.seal, (events) => archiveDocuments(mongo!.db, events)),
    ]),
  )
  const outbox = db && outboxSource(db, service, sealer.seal)
  const sources: Source[] = [...(outbox ? [outbox] : []), ...documents.values()]
  for (const collection of collections) await ensurePendingIndex(collection)
  if (mongo) await ensureArchiveIndex(mongo.db)
  if (options.replaySince) {
    const since = options.replaySince
    const replayed = (db ? await replayOutbox(db, since) : 0) + (mongo ? await replayDocuments(mongo.db, since) : 0)
    log.warn({ since, replayed }, 'events are published once more')
  }

  const publisher = openPublisher({
    url: options.url,
    service,
    log,
    prefix,
    retrySeconds: options.retrySeconds,
    queues,
    onReady: () => void relay.wake(),
  })
  const relay = startRelay({
    sources,
    publish: (events) => publisher.publish(events),
    isReady: () => publisher.ready,
    log,
    metrics,
    intervalMs: RELAY_INTERVAL_MS,
  })

  // Without a broker they wait in the table, not here.
  if (db && outbox)
    onEmitted(db, (emitted) => {
      outbox.tell(publisher.ready ? emitted : undefined)
      void relay.wake(false)
    })

  const connection = queues.length ? connectBroker({ url: options.url, name: `${service} consumer`, log }) : undefined
  const consumers = queues.map((queue) =>
    createConsumer(connection!, {
      queue,
      ctx: options.ctx,
      db,
      publisher,
      open: sealer.open,
      prefix,
      retrySeconds: options.retrySeconds,
      log,
      metrics,
      startCall: options.startCall ?? systemCall,
    }),
  )
  await publisher.whenReady(BROKER_WAIT_MS).catch((err) => log.warn({ err }, 'starting without the broker'))
  for (const consumer of consumers) consumer.start()
  const housekeeping = sweeping(service, log, async (signal) => {
    if (db) await sweepInbox(db, signal)
    if (db) await sweepOutbox(db, signal)
    if (mongo) await sweepDocuments(mongo.db)
  })

  const queueNames = queues.map(({ queue }) => queue)
  const moved = () => relay.published + consumers.reduce((sum, consumer) => sum + consumer.handled, 0)
  const pending = async () =>
    (await Promise.all(sources.map((source) => source.count()))).reduce((sum, n) => sum + n, 0)
  const running = () => consumers.reduce((sum, consumer) => sum + consumer.running, 0)

  const settle = async () => {
    const giveUpAt = Date.now() + SETTLE_TIMEOUT_MS
    const isQuiet = async () => {
      const mark = moved()
      await relay.wake()
      if (await pending()) return false
      await within(Math.max(1, giveUpAt - Date.now()), Promise.all(consumers.map((consumer) => consumer.barrier())))
      return !running() && !consumers.some((consumer) => consumer.parkedUntil(giveUpAt)) && moved() === mark
    }
    while (!(await isQuiet())) {
      if (Date.now() > giveUpAt)
        throw new Error(
          `${service}: events do not settle: ${await pending()} unpublished, ${running()} handlers running`,
        )
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  let stopped: Promise<void> | undefined
  const stopConsuming = () => {
    stopped ??= (async () => {
      if (!connection) return
      // A consumer that waits for a lost connection would hold the stop up until it gives up waiting.
      if (!connection.ready) connection.unsafeDestroy()
      await Promise.allSettled(consumers.map((consumer) => consumer.close()))
      await disconnectBroker(connection)
    })()
    return stopped
  }

  return {
    get ready() {
      return publisher.ready
    },
    queues: queueNames,
    brokerObjects: brokerObjects(prefix, options.retrySeconds, queueNames),
    wake(collection, ids) {
      const source = documents.get(collection)
      if (!source) throw new Error(`${service} has no events in ${collection}`)
      source.tell(ids)
      void relay.wake(false)
    },
    relayNow: () => relay.wake(),
    pending,
    settle,
    get moved() {
      return moved()
    },
    stopConsuming,
    async close() {
      await Promise.all([stopConsuming(), housekeeping.close()])
      await relay.wake()
      await relay.close()
      await publisher.close()
    },
  }
}

const sweeping = (service: string, log: Log, sweep: (signal: AbortSignal) => Promise<void>) =>
  startJobs({
    service,
    ctx: undefined,
    log,
    jobs: [job('sweep-events', { everySeconds: 3600, run: (_, call) => sweep(call.signal) })],
  })
