import type { Envelope as Message } from 'rabbitmq-client'
import type { Log } from '../log.ts'
import { connectBroker, disconnectBroker, within } from './broker.ts'
import type { Envelope } from './envelope.ts'
import { declareTopology, names } from './topology.ts'

const CONFIRM_TIMEOUT_MS = 5_000
const DECLARE_RETRY_MS = 1_000

export type Publisher = {
  /** True while the broker is connected, accepts messages and has everything declared. */
  readonly ready: boolean
  /** Publishes events, all confirms awaited together; answers the ids the broker confirmed within five seconds. */
  publish(events: readonly Envelope[]): Promise<Set<string>>
  /** Sends one message to where it must arrive; throws when it was not confirmed or has no queue. */
  send(message: Message & { exchange: string; routingKey: string; messageId: string }, body: unknown): Promise<void>
  /** Resolves when everything is declared; rejects after `ms`. */
  whenReady(ms: number): Promise<void>
  close(): Promise<void>
}

/**
 * The publishing connection of a service: declares the topology after every (re)connection and publishes nothing before.
 * Consumers have their own connection, since a broker under alarm stops reading from one that publishes.
 */
export function openPublisher(options: {
  url: string
  service: string
  log: Log
  prefix: string
  retrySeconds: readonly number[]
  queues: readonly { queue: string; types: readonly string[] }[]
  /** Called whenever publishing becomes possible. */
  onReady(): void
}): Publisher {
  const { log, prefix } = options
  const connection = connectBroker({ url: options.url, name: `${options.service} publisher`, log })
  const channel = connection.createPublisher({ confirm: true })
  const returned = new Set<string>()
  channel.on('basic.return', (message) => returned.add(message.messageId ?? ''))

  const declared = Promise.withResolvers<void>()
  let isDeclared = false
  let closing = false
  let timer: NodeJS.Timeout | undefined

  const declare = async () => {
    clearTimeout(timer)
    isDeclared = false
    try {
      await declareTopology(connection, { prefix, retrySeconds: options.retrySeconds, queues: options.queues })
      isDeclared = true
      declared.resolve()
      options.onReady()
    } catch (err) {
      if (closing) return
      log.error({ err }, 'cannot declare exchanges and queues')
      // Without a connection the next 'connection' event tries again.
      if (connection.ready) timer = setTimeout(declare, DECLARE_RETRY_MS)
    }
  }
  connection.on('connection', declare)
  connection.on('connection.unblocked', options.onReady)

  return {
    get ready() {
      return isDeclared && connection.ready
    },
    async publish(events) {
      const confirmed = new Set<string>()
      let failure: unknown
      const sends = events.map((event) =>
        channel
          .send(
            {
              exchange: names(prefix).events,
              routingKey: event.type,
              messageId: event.eventId,
              type: event.type,
              appId: options.service,
              durable: true,
              headers: { 'x-attempt': 1 },
            },
            event,
          )
          .then(() => confirmed.add(event.eventId))
          .catch((error) => {
            failure = error
          }),
      )
      await within(CONFIRM_TIMEOUT_MS, Promise.all(sends)).catch((error) => {
        failure = error
      })
      if (failure) log.warn({ err: failure, sent: events.length, confirmed: confirmed.size }, 'events not confirmed')
      return new Set(confirmed)
    },
    async send(message, body) {
      const bytes = Buffer.isBuffer(body) || typeof body === 'string' ? body : Buffer.from(JSON.stringify(body))
      // The broker answers an unroutable message first with a return, then with a confirm; the return is seen a turn later.
      await within(
        CONFIRM_TIMEOUT_MS,
        channel.send({ contentType: 'application/json', ...message, durable: true, mandatory: true }, bytes),
      )
      await new Promise((resolve) => setImmediate(resolve))
      if (returned.delete(message.messageId)) throw new Error(`no queue for ${message.exchange} ${message.routingKey}`)
    },
    whenReady: (ms) => within(ms, declared.promise, () => new Error('the broker is not reachable')),
    async close() {
      closing = true
      clearTimeout(timer)
      if (connection.ready) await within(CONFIRM_TIMEOUT_MS, channel.close()).catch(() => undefined)
      await disconnectBroker(connection)
    },
  }
}
