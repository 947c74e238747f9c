import type { Kysely } from 'kysely'
import { type AsyncMessage, type Connection, ConsumerStatus } from 'rabbitmq-client'
import { type Call, inCall } from '../call.ts'
import { AppError } from '../errors.ts'
import { newId } from '../id.ts'
import type { Log } from '../log.ts'
import { isOutage } from '../store-away.ts'
import { within } from './broker.ts'
import { type Envelope, parseEnvelope } from './envelope.ts'
import { once } from './inbox.ts'
import type { EventMetrics, Outcome } from './metrics.ts'
import type { EventHandler } from './on.ts'
import type { Publisher } from './publisher.ts'
import type { EventSealer } from './sealed.ts'
import { bindings, type HandlerQueue, handlerKey, names, workQueue } from './topology.ts'

const CONCURRENCY = 20
const TIMEOUT_SECONDS = 30
const BARRIER_HEADER = 'x-barrier'

export type StartCall = (log: Log, options: { timeoutMs: number; correlationId: string; causationId: string }) => Call

export type Consumer = {
  start(): void
  close(): Promise<void>
  /** Handlers running now. */
  readonly running: number
  /** Attempts ended so far. */
  readonly handled: number
  /** Retries this process has parked that come back before `time` (epoch ms). */
  parkedUntil(time: number): number
  /** Resolves when everything that was in the queue before the call has been handed to handlers of this process. */
  barrier(): Promise<void>
}

/**
 * Consumes one handler queue. A failed attempt is parked in a retry queue, confirmed, before it is acknowledged here; after the
 * last one it goes to the dead-letter queue, and a message nobody can read goes there at once. An outage is not the message's
 * fault: it is retried until a store or neighbour is back, however long that takes. Attempts are counted in our own header,
 * since brokers differ in what they count.
 */
export function createConsumer<Ctx>(
  connection: Connection,
  options: {
    queue: HandlerQueue<Ctx>
    ctx: Ctx
    // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
    db: Kysely<any> | undefined
    publisher: Publisher
    open: EventSealer['open']
    prefix: string
    retrySeconds: readonly number[]
    log: Log
    metrics: EventMetrics
    startCall: StartCall
  },
): Consumer {
  const { publisher, prefix, retrySeconds, metrics } = options
  const { queue, types, handlers } = options.queue
  const name = names(prefix)
  const log = options.log.child({ queue })
  const barriers = new Map<string, () => void>()
  const parked = new Map<string, number>()
  let running = 0
  let handled = 0

  const attempt = async (envelope: Envelope, handler: EventHandler<Ctx>, messageLog: Log): Promise<Outcome> => {
    const { event, handle } = handler
    const timeoutMs = (handler.options.timeoutSeconds ?? TIMEOUT_SECONDS) * 1000
    let data: unknown
    try {
      data = event.fromJSON(envelope.data)
    } catch (error) {
      throw new Undecodable('EventDataInvalid', { cause: error })
    }
    const { correlationId } = envelope.trace
    const call = options.startCall(messageLog, { timeoutMs, correlationId, causationId: envelope.eventId })
    const tooLate = (cause?: unknown) =>
      new AppError('DEADLINE_EXCEEDED', 'event_timeout', 'the handler took too long', {}, cause)
    const limited = (work: Promise<void>) =>
      within(timeoutMs, work, tooLate).catch((error) => {
        throw call.signal.aborted && !(error instanceof AppError) ? tooLate(error) : error
      })
    const { ctx, db } = options
    const received = { data, envelope }
    return inCall(call, async () => {
      if (handle.kind === 'idempotent') await limited(handle.run(ctx, received))
      else if (!db) throw new Error(`on(${event.type}) needs PostgreSQL; use onIdempotent()`)
      else if (
        (await handle.concerns(ctx, received)) &&
        !(await once(db, queue, envelope.eventId, (tx) => limited(handle.run(ctx, received, tx))))
      )
        return 'duplicate'
      return 'ok'
    })
  }

  /** Moves a failed message on; answers where it went. */
  const fail = async (message: AsyncMessage, error: unknown): Promise<Outcome> => {
    const attempts = attemptOf(message)
    const headers = {
      'x-first-failed-at': message.headers?.['x-first-failed-at'] ?? new Date().toISOString(),
      'x-request-id': (message.body as Partial<Envelope> | undefined)?.trace?.requestId ?? '',
    }
    const carried = {
      messageId: message.messageId ?? newId(),
      type: typeOf(message),
      ...(message.appId ? { appId: message.appId } : {}),
      ...(message.contentType ? { contentType: message.contentType } : {}),
    }
    const next = retrySeconds[attempts - 1] ?? (isOutage(error) ? retrySeconds.at(-1) : undefined)
    const delay = error instanceof Undecodable ? undefined : next
    if (delay !== undefined) {
      const due = Date.now() + delay * 1000
      await publisher.send(
        {
          ...carried,
          exchange: name.retry(delay),
          routingKey: name.queue(queue),
          headers: { ...headers, 'x-attempt': attempts + 1 },
        },
        message.body,
      )
      parked.set(carried.messageId, due)
      return 'retry'
    }
    await publisher.send(
      {
        ...carried,
        exchange: '',
        routingKey: name.dead(queue),
        headers: { ...headers, ...describe(error), 'x-attempts': attempts },
      },
      message.body,
    )
    return 'dead'
  }

  const receive = async (message: AsyncMessage): Promise<ConsumerStatus> => {
    const barrier = message.headers?.[BARRIER_HEADER]
    if (barrier) {
      barriers.get(barrier)?.()
      return ConsumerStatus.ACK
    }
    running++
    parked.delete(message.messageId ?? '')
    const started = performance.now()
    const attempts = attemptOf(message)
    const type = typeOf(message)
    const messageLog = log.child({ event: type, eventId: message.messageId, attempt: attempts })
    let outcome: Outcome
    let failure: unknown
    try {
      const envelope = options.open(read(message))
      if (!envelope) throw new Undecodable('EventSealedByOthers')
      const handler = handlers.get(handlerKey(envelope))
      if (!handler) throw new Undecodable('EventVersionUnknown')
      outcome = await attempt(envelope, handler, messageLog)
    } catch (error) {
      failure = error
      outcome = await fail(message, error).catch((err) => {
        messageLog.warn({ err }, 'cannot park a failed event')
        return 'requeued' as const
      })
    }
    const seconds = (performance.now() - started) / 1000
    metrics.handled(type, outcome, seconds)
    report(messageLog, outcome, Math.round(seconds * 1000), failure)
    handled++
    running--
    return outcome === 'requeued' ? ConsumerStatus.REQUEUE : ConsumerStatus.ACK
  }

  const concurrency = Math.max(...[...handlers.values()].map((handler) => handler.options.concurrency ?? CONCURRENCY))
  const consumer = connection.createConsumer(
    {
      queue: name.queue(queue),
      queueOptions: workQueue(prefix, queue),
      queueBindings: bindings(prefix, queue, types),
      concurrency,
      qos: { prefetchCount: concurrency },
      lazy: true,
    },
    receive,
  )
  consumer.on('error', (err) => log.warn({ err }, 'consumer interrupted'))

  return {
    start: () => consumer.start(),
    close: () => consumer.close(),
    get running() {
      return running
    },
    get handled() {
      return handled
    },
    parkedUntil: (time) => [...parked.values()].filter((due) => due <= time).length,
    async barrier() {
      const id = newId()
      const passed = Promise.withResolvers<void>()
      barriers.set(id, passed.resolve)
      try {
        await publisher.send(
          { exchange: '', routingKey: name.queue(queue), messageId: id, headers: { [BARRIER_HEADER]: id } },
          {},
        )
        await passed.promise
      } finally {
        barriers.delete(id)
      }
    },
  }
}

/** No attempt will ever succeed: straight to the dead letters. */
class Undecodable extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.name = reason
  }
}

function read(message: AsyncMessage): Envelope {
  try {
    return parseEnvelope(message.body)
  } catch (error) {
    throw new Undecodable('EnvelopeInvalid', { cause: error })
  }
}

const typeOf = (message: AsyncMessage): string =>
  String((message.body as Partial<Envelope> | null)?.type ?? message.type ?? '')

function attemptOf(message: AsyncMessage): number {
  const attempt = Number(message.headers?.['x-attempt'] ?? 1)
  return Number.isInteger(attempt) && attempt > 0 ? attempt : 1
}

// Only our own errors' messages are known to carry no personal data.
function describe(error: unknown): { 'x-error-class': string; 'x-error-message': string } {
  const name = error instanceof Error ? error.name : typeof error
  if (error instanceof AppError) return { 'x-error-class': name, 'x-error-message': `${error.code}: ${error.message}` }
  return { 'x-error-class': name, 'x-error-message': name }
}

function report(log: Log, outcome: Outcome, ms: number, err: unknown): void {
  if (outcome === 'ok') log.info({ outcome, ms }, 'event')
  else if (outcome === 'duplicate') log.debug({ outcome, ms }, 'event')
  else if (outcome === 'dead') log.error({ outcome, ms, err }, 'event')
  else log.warn({ outcome, ms, err }, 'event')
}
