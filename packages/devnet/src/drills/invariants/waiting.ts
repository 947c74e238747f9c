import { connectBroker, disconnectBroker } from '@haat/kit/events/broker'
import type { EventHandler } from '@haat/kit/events/on'
import { DEFAULT_PREFIX, handlerQueues, names } from '@haat/kit/events/topology'
import { createLog } from '@haat/kit/log'
import { roster } from '../../roster.ts'
import { type Databases, type Installation, servicesWith } from './databases.ts'

/** What is still on its way, or has been given up: every count is positive. */
export type Waiting = {
  /** Committed events that are not published, by service. */
  unpublished: { service: string; count: number }[]
  /** Published events that wait for their handler. */
  unhandled: { queue: string; count: number }[]
  /** Events that their handler gave up on. */
  dead: { queue: string; count: number }[]
}

/** The handler queues of all services, as their event tables say. */
export async function listQueues(): Promise<string[]> {
  const services = roster.filter(({ kind }) => kind === 'service')
  const tables = await Promise.all(
    services.map(async ({ name }) => {
      const { events } = (await import(`@haat/${name}/events`)) as { events: EventHandler<never>[] }
      return handlerQueues(name, events).map(({ queue }) => queue)
    }),
  )
  return tables.flat()
}

/** Counts what waits in the outboxes, in the documents with pending events, and in the queues. */
export async function findWaiting(databases: Databases, installation: Omit<Installation, 'stripe'>): Promise<Waiting> {
  const unpublished: Waiting['unpublished'] = []
  for (const service of servicesWith('postgres')) {
    const [row] = await databases.rows<{ count: bigint }>(service, 'select count(*) as count from outbox')
    unpublished.push({ service, count: Number(row!.count) })
  }
  for (const service of servicesWith('mongo')) {
    const db = databases.mongo(service)
    for (const { name } of await db.listCollections().toArray())
      unpublished.push({
        service,
        count: await db.collection(name).countDocuments({ 'pendingEvents.eventId': { $exists: true } }),
      })
  }
  const log = createLog('invariants', 'silent')
  const connection = connectBroker({ url: installation.stores.urls.rabbitmq, name: 'invariants', log })
  const name = names(installation.prefix ?? DEFAULT_PREFIX)
  const count = async (queue: string) => (await connection.queueDeclare({ queue, passive: true })).messageCount
  try {
    const queues = await Promise.all(
      (await listQueues()).map(async (queue) => ({
        queue,
        unhandled: await count(name.queue(queue)),
        dead: await count(name.dead(queue)),
      })),
    )
    return {
      unpublished: unpublished.filter((entry) => entry.count > 0),
      unhandled: queues.map(({ queue, unhandled }) => ({ queue, count: unhandled })).filter((entry) => entry.count > 0),
      dead: queues.map(({ queue, dead }) => ({ queue, count: dead })).filter((entry) => entry.count > 0),
    }
  } finally {
    await disconnectBroker(connection)
  }
}
