import type { Channel, Connection } from 'rabbitmq-client'
import type { EventHandler } from './on.ts'

export const DEFAULT_PREFIX = 'haat'

// A message that kills the process never reaches our own attempt count, so the broker's count is the backstop. It is far
// above any retry schedule: on brokers that count lost connections, an unlucky message must not be dropped early.
const DELIVERY_LIMIT = 50
// Looking at a dead letter returns it to its queue; brokers that count returns must not drop it for that.
const NO_DELIVERY_LIMIT = 1_000_000
const UNROUTED_MAX = 10_000
const UNROUTED_TTL_MS = 7 * 24 * 3600 * 1000

export const names = (prefix: string) => ({
  events: `${prefix}.events`,
  unrouted: `${prefix}.unrouted`,
  retry: (seconds: number) => `${prefix}.retry.${seconds}s`,
  /** A handler's queue on the broker; only a foreign prefix (tests) shows in it. */
  queue: (queue: string) => (prefix === DEFAULT_PREFIX ? queue : `${prefix}.${queue}`),
  dead: (queue: string) => `${prefix === DEFAULT_PREFIX ? queue : `${prefix}.${queue}`}.dead`,
})

/** One handler queue: the handlers that share it, keyed by event type and version. */
export type HandlerQueue<Ctx> = { queue: string; types: string[]; handlers: Map<string, EventHandler<Ctx>> }

export const handlerKey = (event: { type: string; version: number }) => `${event.type}@${event.version}`

/** Groups a service's handlers by queue; two handlers for one event in one queue are a programming error. */
export function handlerQueues<Ctx>(service: string, handlers: readonly EventHandler<Ctx>[]): HandlerQueue<Ctx>[] {
  const queues = new Map<string, HandlerQueue<Ctx>>()
  for (const handler of handlers) {
    const { event, options } = handler
    const name = `${service}.${options.name ?? event.type}`
    const queue: HandlerQueue<Ctx> = queues.get(name) ?? { queue: name, types: [], handlers: new Map() }
    const key = handlerKey(event)
    if (queue.handlers.has(key)) throw new Error(`two handlers for ${key} in queue ${name}: give one of them a name`)
    queue.handlers.set(key, handler)
    if (!queue.types.includes(event.type)) queue.types.push(event.type)
    queues.set(name, queue)
  }
  return [...queues.values()]
}

/** Names of all that a service declares, as they are on the broker; tests remove what has a prefix of their own. */
export function brokerObjects(
  prefix: string,
  retrySeconds: readonly number[],
  queues: readonly string[],
): { queues: string[]; exchanges: string[] } {
  const name = names(prefix)
  const retries = [...new Set(retrySeconds)].map(name.retry)
  return {
    queues: [...queues.flatMap((queue) => [name.queue(queue), name.dead(queue)]), ...retries, name.unrouted],
    exchanges: [name.events, ...retries, name.unrouted],
  }
}

type QueueDeclaration = { queue: string; durable: true; arguments: Record<string, string | number> }

const quorum = (queue: string, args: Record<string, string | number>): QueueDeclaration => ({
  queue,
  durable: true,
  arguments: { 'x-queue-type': 'quorum', ...args },
})

// Dead-lettering loses nothing only with this pair: the source keeps the message until the target has confirmed it.
const deadLetterTo = (routingKey?: string) => ({
  'x-dead-letter-exchange': '',
  ...(routingKey ? { 'x-dead-letter-routing-key': routingKey } : {}),
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
})

/** A handler's own queue. */
export const workQueue = (prefix: string, queue: string): QueueDeclaration =>
  quorum(names(prefix).queue(queue), { 'x-delivery-limit': DELIVERY_LIMIT, ...deadLetterTo(names(prefix).dead(queue)) })

/** Where events of these types enter a handler's queue. */
export const bindings = (prefix: string, queue: string, types: readonly string[]) =>
  types.map((type) => ({ exchange: names(prefix).events, queue: names(prefix).queue(queue), routingKey: type }))

/** Declares all that a service publishes to and consumes from; repeating it changes nothing. */
export async function declareTopology(
  connection: Connection,
  options: {
    prefix: string
    retrySeconds: readonly number[]
    queues: readonly { queue: string; types: readonly string[] }[]
  },
): Promise<void> {
  const { prefix } = options
  const name = names(prefix)
  const channel: Channel = await connection.acquire()
  try {
    await channel.exchangeDeclare({ exchange: name.unrouted, type: 'fanout', durable: true })
    await channel.queueDeclare(
      quorum(name.unrouted, {
        'x-max-length': UNROUTED_MAX,
        'x-overflow': 'drop-head',
        'x-message-ttl': UNROUTED_TTL_MS,
      }),
    )
    await channel.queueBind({ exchange: name.unrouted, queue: name.unrouted })
    await channel.exchangeDeclare({
      exchange: name.events,
      type: 'topic',
      durable: true,
      arguments: { 'alternate-exchange': name.unrouted },
    })
    // A retry keeps its handler's queue as routing key; when its time is up the default exchange takes it back there.
    for (const seconds of new Set(options.retrySeconds)) {
      const retry = name.retry(seconds)
      await channel.exchangeDeclare({ exchange: retry, type: 'fanout', durable: true })
      await channel.queueDeclare(quorum(retry, { 'x-message-ttl': seconds * 1000, ...deadLetterTo() }))
      await channel.queueBind({ exchange: retry, queue: retry })
    }
    for (const { queue, types } of options.queues) {
      await channel.queueDeclare(quorum(name.dead(queue), { 'x-delivery-limit': NO_DELIVERY_LIMIT }))
      await channel.queueDeclare(workQueue(prefix, queue))
      for (const binding of bindings(prefix, queue, types)) await channel.queueBind(binding)
    }
  } finally {
    await channel.close()
  }
}
