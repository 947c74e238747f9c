import { connectBroker, disconnectBroker } from '@haat/kit/events/broker'
import type { EventHandler } from '@haat/kit/events/on'
import { brokerObjects, DEFAULT_PREFIX, handlerQueues, names } from '@haat/kit/events/topology'
import { createLog } from '@haat/kit/log'
import { roster } from '../../roster.ts'
import { type Databases, type Installation, openDatabases, servicesWith } from './databases.ts'

type Stores = Omit<Installation, 'stripe'>

/** What is still on its way, or has been given up: every count is positive. */
export type Waiting = {
  /** Committed events that are not published, by service. */
  unpublished: { service: string; count: number }[]
  /** Published events that wait for their handler, or for another attempt. */
  unhandled: { queue: string; count: number }[]
  /** Events that their handler gave up on. */
  dead: { queue: string; count: number }[]
}

/** The waiting times before another attempt, where an installation has not its own. */
const RETRY_SECONDS = [1, 5, 30, 300, 1800]

/** The handler queues of all services, as their event tables say. */
async function listQueues(): Promise<string[]> {
  const services = roster.filter(({ kind }) => kind === 'service')
  const tables = await Promise.all(
    services.map(async ({ name }) => {
      const { events } = (await import(`@haat/${name}/events`)) as { events: EventHandler<never>[] }
      return handlerQueues(name, events).map(({ queue }) => queue)
    }),
  )
  return tables.flat()
}

/** Everything that an installation declares on the broker. */
export async function listBrokerObjects({ prefix = DEFAULT_PREFIX, retrySeconds = RETRY_SECONDS }: Stores) {
  return brokerObjects(prefix, retrySeconds, await listQueues())
}

/** Counts what waits in the outboxes, in the documents with pending events, and in the queues. */
export async function findWaiting(databases: Databases, installation: Stores): Promise<Waiting> {
  const unpublished = [...(await countOutboxes(databases)), ...(await countPending(databases))]
  const { prefix = DEFAULT_PREFIX, retrySeconds = RETRY_SECONDS, stores } = installation
  const log = createLog('invariants', 'silent')
  const connection = connectBroker({ url: stores.urls.rabbitmq, name: 'invariants', log })
  const name = names(prefix)
  const count = async (queue: string, label: string) => ({
    queue: label,
    count: (await connection.queueDeclare({ queue, passive: true })).messageCount,
  })
  try {
    const queues = await listQueues()
    const unhandled = await Promise.all([
      ...queues.map((queue) => count(name.queue(queue), queue)),
      ...retrySeconds.map((seconds) => count(name.retry(seconds), `retry after ${seconds} s`)),
    ])
    const dead = await Promise.all(queues.map((queue) => count(name.dead(queue), queue)))
    return { unpublished: unpublished.filter(some), unhandled: unhandled.filter(some), dead: dead.filter(some) }
  } finally {
    await disconnectBroker(connection)
  }
}

/** Waits until nothing is on its way, also not in a handler: three looks in a row. */
export async function untilQuiet(installation: Stores, seconds = 60): Promise<void> {
  const databases = await openDatabases(installation)
  const giveUpAt = Date.now() + seconds * 1000
  try {
    for (let quiet = 0; quiet < 3; ) {
      const { unpublished, unhandled } = await findWaiting(databases, installation)
      quiet = unpublished.length + unhandled.length === 0 ? quiet + 1 : 0
      if (Date.now() > giveUpAt)
        throw new Error(`not quiet after ${seconds} s: ${JSON.stringify({ unpublished, unhandled })}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  } finally {
    await databases.close()
  }
}

const some = ({ count }: { count: number }): boolean => count > 0

const countOutboxes = (databases: Databases) =>
  Promise.all(
    servicesWith('postgres').map(async (service) => {
      const [row] = await databases.rows<{ count: bigint }>(service, 'select count(*) as count from outbox')
      return { service, count: Number(row!.count) }
    }),
  )

async function countPending(databases: Databases): Promise<Waiting['unpublished']> {
  const field = 'pendingEvents.eventId'
  const counts = servicesWith('mongo').map(async (service) => {
    const db = databases.mongo(service)
    const collections = await db.listCollections().toArray()
    return Promise.all(
      collections.map(async ({ name }) => {
        const collection = db.collection(name)
        // Whatever has events to publish has an index of them; a look at all the others would be a read of everything there is.
        const isSource = (await collection.indexes()).some(({ key }) => field in key)
        const waiting = isSource
          ? await collection.find({ [field]: { $exists: true } }, { projection: { _id: 1 } }).toArray()
          : []
        return { service, count: waiting.length }
      }),
    )
  })
  return (await Promise.all(counts)).flat()
}
