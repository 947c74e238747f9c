import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectBroker, disconnectBroker } from '@haat/kit/events/broker'
import type { EventHandler } from '@haat/kit/events/on'
import { bindings, DEFAULT_PREFIX, handlerQueues, names } from '@haat/kit/events/topology'
import { newId } from '@haat/kit/id'
import { createLog } from '@haat/kit/log'
import type { Devnet } from '../../devnet.ts'
import { roster } from '../../roster.ts'

/** One message on its way to one consumer: an event to a handler queue, or a notice of Stripe's to the storefront. */
export type Letter = {
  /** The consumer: `order.payment.succeeded`, `webhook`. */
  to: string
  /** What it tells: `order.paid`, `payment_intent.succeeded`. */
  type: string
  /** Everything in it, for finding out whom it is about. */
  text: string
  /** Delivers a copy; fails when the consumer does not take it. */
  deliver(): Promise<void>
}

export type PostOffice = {
  /** From now on letters are kept here instead of going on at once. */
  hold(): void
  /** Letters go on at once; what is held stays with whoever took it. */
  release(): void
  /** The letters that came since the last call. */
  take(): Letter[]
  /** Resolves when all that was published before the call is here. */
  caughtUp(): Promise<void>
  /** Letters seen so far. */
  readonly count: number
  close(): Promise<void>
}

/** Where Stripe sends its notices while a post office is between; opened before the marketplace, which is told its address. */
export type Counter = {
  url: string
  receive(letter: { to: string; path: string }, take: (letter: Letter) => Promise<void>): void
  close(): Promise<void>
}

export async function openCounter(): Promise<Counter> {
  let handle: ((request: IncomingMessage, answer: ServerResponse) => Promise<void>) | undefined
  const server = createServer((request, answer) => {
    const work = handle ? handle(request, answer) : Promise.reject(new Error('not open yet'))
    work.catch(() => answer.writeHead(503).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    receive({ to, path }, take) {
      handle = async (request, answer) => {
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        const body = Buffer.concat(chunks)
        const headers = { 'content-type': 'application/json', 'stripe-signature': request.headers['stripe-signature'] }
        const text = body.toString()
        await take({
          to: 'webhook',
          type: (JSON.parse(text) as { type: string }).type,
          text,
          async deliver() {
            const { status } = await fetch(`${to}${path}`, { method: 'POST', headers: headers as never, body })
            if (status >= 300) throw new Error(`the webhook was answered ${status}`)
          },
        })
        answer.writeHead(200).end()
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * Steps between the marketplace's consumers and everything they are told: takes the handler queues off the events exchange,
 * takes the events itself, and gives them to the queues as its owner decides. The consumers and their queues stay as they are.
 */
export async function openPostOffice(devnet: Devnet & { prefix?: string }, counter: Counter): Promise<PostOffice> {
  const prefix = devnet.prefix ?? DEFAULT_PREFIX
  const { events: exchange, queue: onBroker } = names(prefix)
  const queues = await listHandlerQueues()
  const log = createLog('post-office', 'silent')
  const connection = connectBroker({ url: devnet.stores.urls.rabbitmq, name: 'post office', log })
  const sender = connection.createPublisher({ confirm: true })
  const own = `${prefix}.post-office`
  const inbox: Letter[] = []
  const passages = new Map<string, () => void>()
  let isHolding = false
  let count = 0

  const accept = async (letter: Letter) => {
    count += 1
    if (isHolding) inbox.push(letter)
    else await letter.deliver()
  }

  await connection.queueDeclare({ queue: own, exclusive: true })
  await connection.queueBind({ exchange, queue: own, routingKey: '#' })
  for (const { queue, types } of queues)
    for (const binding of bindings(prefix, queue, types)) await connection.queueUnbind(binding)
  const consumer = connection.createConsumer(
    { queue: own, queueOptions: { passive: true }, qos: { prefetchCount: 200 } },
    async (message) => {
      const passed = passages.get(message.messageId ?? '')
      if (passed) return passed()
      const { messageId, type, appId, contentType, headers, body } = message
      const text = JSON.stringify(body)
      for (const { queue, types } of queues) {
        if (!types.includes(message.routingKey)) continue
        await accept({
          to: queue,
          type: message.routingKey,
          text,
          deliver: () =>
            sender.send(
              {
                exchange: '',
                routingKey: onBroker(queue),
                durable: true,
                ...(messageId ? { messageId } : {}),
                ...(type ? { type } : {}),
                ...(appId ? { appId } : {}),
                ...(contentType ? { contentType } : {}),
                ...(headers ? { headers } : {}),
              },
              body,
            ),
        })
      }
    },
  )
  consumer.on('error', () => undefined)
  counter.receive({ to: devnet.urls.storefront, path: '/v1/payments/webhook/stripe' }, accept)

  return {
    hold() {
      isHolding = true
    },
    release() {
      isHolding = false
    },
    take: () => inbox.splice(0),
    async caughtUp() {
      const id = newId()
      const passage = Promise.withResolvers<void>()
      passages.set(id, passage.resolve)
      await sender.send({ exchange: '', routingKey: own, messageId: id }, {})
      await passage.promise
      passages.delete(id)
    },
    get count() {
      return count
    },
    async close() {
      for (const { queue, types } of queues)
        for (const binding of bindings(prefix, queue, types)) await connection.queueBind(binding)
      await connection.queueUnbind({ exchange, queue: own, routingKey: '#' })
      await consumer.close()
      await sender.close()
      await disconnectBroker(connection)
    },
  }
}

/** Every handler queue with what it is told, as the services' event tables say. */
async function listHandlerQueues(): Promise<{ queue: string; types: string[] }[]> {
  const services = roster.filter(({ kind }) => kind === 'service')
  const tables = await Promise.all(
    services.map(async ({ name }) => {
      const { events } = (await import(`@haat/${name}/events`)) as { events: EventHandler<never>[] }
      return handlerQueues(name, events)
    }),
  )
  return tables.flat().map(({ queue, types }) => ({ queue, types }))
}
