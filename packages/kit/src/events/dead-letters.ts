import type { Channel, SyncMessage } from 'rabbitmq-client'
import { notFound } from '../errors.ts'
import type { Log } from '../log.ts'
import { connectBroker, disconnectBroker } from './broker.ts'
import { DEFAULT_PREFIX, names } from './topology.ts'

const SCAN_LIMIT = 10_000
const RETURN_WAIT_MS = 2_000

type Taken = {
  channel: Channel
  /** The next message, taken until it is removed or the operation ends. */
  take(): Promise<SyncMessage | undefined>
  remove(message: SyncMessage): void
}

/** A message that its handler gave up on. */
export type DeadLetter = {
  eventId: string
  type: string
  /** Attempts made; 0 when the broker gave up, because the handler's process died on it again and again. */
  attempts: number
  errorClass: string
  /** A refusal's code and sentence, else the error's class; no personal data. */
  errorMessage: string
  /** ISO 8601, empty when unknown. */
  firstFailedAt: string
  requestId: string
  /** The envelope, or whatever could not be read as one. */
  body: unknown
}

/** Inspection and repair of any service's dead letters. `queue` is a handler's queue name: `order.payment.succeeded`. */
export type DeadLetters = {
  count(queue: string): Promise<number>
  /** The oldest first, 100 by default; leaves them where they are. */
  list(queue: string, limit?: number): Promise<DeadLetter[]>
  /** Gives one back to its handler with a fresh count of attempts; NOT_FOUND `dead_letter_not_found`. */
  requeue(queue: string, eventId: string): Promise<void>
  /** Gives all back; answers how many. */
  requeueAll(queue: string): Promise<number>
  /** Deletes one for good; NOT_FOUND `dead_letter_not_found`. */
  discard(queue: string, eventId: string): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the dead letters of a broker. AMQP has no way to look without taking, so each operation takes messages, acts, and lets
 * the broker put back what it did not acknowledge; operations of one process wait for each other.
 */
export function openDeadLetters(options: { url: string; log: Log; prefix?: string }): DeadLetters {
  const connection = connectBroker({ url: options.url, name: 'dead letters', log: options.log })
  const name = names(options.prefix ?? DEFAULT_PREFIX)
  let last: Promise<unknown> = Promise.resolve()

  /** Runs `work` on the queue's messages, then returns every message it neither gave back nor deleted. */
  const withQueue = <T>(queue: string, work: (taken: Taken, waiting: number) => Promise<T>): Promise<T> => {
    const next = last
      .catch(() => undefined)
      .then(async () => {
        const channel = await connection.acquire()
        const count = async () => (await channel.queueDeclare({ queue: name.dead(queue), passive: true })).messageCount
        try {
          const waiting = await count().catch((error) => {
            throw error.code === 'NOT_FOUND' ? notFound('queue_not_found', `no handler queue ${queue}`) : error
          })
          let gone = 0
          const take = () => channel.basicGet(name.dead(queue))
          const remove = (message: SyncMessage) => {
            channel.basicAck({ deliveryTag: message.deliveryTag })
            gone++
          }
          try {
            return await work({ channel, take, remove }, waiting)
          } finally {
            if (channel.active) {
              channel.basicNack({ deliveryTag: 0, multiple: true, requeue: true })
              // The broker puts messages back in its own time; the next operation must find them.
              const giveUpAt = Date.now() + RETURN_WAIT_MS
              while ((await count()) < waiting - gone && Date.now() < giveUpAt)
                await new Promise((resolve) => setTimeout(resolve, 5))
            }
          }
        } finally {
          await channel.close()
        }
      })
    last = next
    return next
  }

  const find = async ({ take }: Taken, queue: string, waiting: number, eventId: string): Promise<SyncMessage> => {
    for (let i = 0; i < Math.min(waiting, SCAN_LIMIT); i++) {
      const message = await take()
      if (!message) break
      if (message.messageId === eventId) return message
    }
    throw notFound('dead_letter_not_found', `no dead letter ${eventId} in ${queue}`)
  }

  // Confirmed in the handler's queue before it leaves this one; a crash between the two delivers twice, never not at all.
  const giveBack = async ({ channel, remove }: Taken, queue: string, message: SyncMessage) => {
    const { messageId, type, appId, contentType } = message
    const envelope = {
      ...defined({ messageId, type, appId, contentType }),
      exchange: '',
      routingKey: name.queue(queue),
    }
    await channel.basicPublish(
      { ...envelope, durable: true, headers: { 'x-attempt': 1 } },
      Buffer.isBuffer(message.body) ? message.body : Buffer.from(JSON.stringify(message.body)),
    )
    remove(message)
  }
  const prepareGiveBack = async ({ channel }: Taken, queue: string) => {
    await channel.queueDeclare({ queue: name.queue(queue), passive: true })
    await channel.confirmSelect()
  }

  return {
    count: (queue) => withQueue(queue, async (_, waiting) => waiting),
    list: (queue, limit = 100) =>
      withQueue(queue, async ({ take }, waiting) => {
        const letters: DeadLetter[] = []
        while (letters.length < Math.min(limit, waiting)) {
          const message = await take()
          if (!message) break
          letters.push(letterOf(message))
        }
        return letters
      }),
    requeue: (queue, eventId) =>
      withQueue(queue, async (taken, waiting) => {
        await prepareGiveBack(taken, queue)
        await giveBack(taken, queue, await find(taken, queue, waiting, eventId))
      }),
    requeueAll: (queue) =>
      withQueue(queue, async (taken, waiting) => {
        await prepareGiveBack(taken, queue)
        // Only as many as there were: those that die again meanwhile are not taken a second time.
        for (let count = 0; count < waiting; count++) {
          const message = await taken.take()
          if (!message) return count
          await giveBack(taken, queue, message)
        }
        return waiting
      }),
    discard: (queue, eventId) =>
      withQueue(queue, async (taken, waiting) => {
        taken.remove(await find(taken, queue, waiting, eventId))
      }),
    async close() {
      await last.catch(() => undefined)
      await disconnectBroker(connection)
    },
  }
}

/** Without the properties that are undefined. */
const defined = (properties: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(properties).filter((entry): entry is [string, string] => entry[1] !== undefined))

function letterOf(message: SyncMessage): DeadLetter {
  const headers = message.headers ?? {}
  const text = (key: string) => String(headers[key] ?? '')
  const byBroker = !headers['x-attempts']
  const body = message.body
  return {
    eventId: message.messageId ?? '',
    type: message.type ?? '',
    attempts: Number(headers['x-attempts'] ?? 0),
    errorClass: byBroker ? 'DeliveryLimit' : text('x-error-class'),
    errorMessage: byBroker ? 'DeliveryLimit' : text('x-error-message'),
    firstFailedAt: text('x-first-failed-at'),
    requestId: text('x-request-id') || ((body as { trace?: { requestId?: string } })?.trace?.requestId ?? ''),
    body: Buffer.isBuffer(body) ? body.toString() : body,
  }
}
