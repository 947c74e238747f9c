import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { connectBroker, disconnectBroker } from '@haat/kit/events/broker'
import { createLog } from '@haat/kit/log'
import { BSON } from '@haat/kit/mongo'
import { openRedis } from '@haat/kit/redis'
import { type Installation, openDatabases, servicesWith } from '../invariants/databases.ts'
import { listBrokerObjects } from '../invariants/waiting.ts'

/** Everything a store holds, as bytes, with where it lies: `order.order_addresses`, `redis session:…`, `queue …`, `media …`. */
export type Piece = { where: string; bytes: Buffer }

type Place = Omit<Installation, 'stripe'> & { dataDir: string }

/** Dumps all stores: tables, collections, Redis, the messages of every queue, the media folder. */
export async function dumpAll(place: Place): Promise<Piece[]> {
  return [
    ...(await dumpDatabases(place)),
    ...(await dumpRedis(place)),
    ...(await dumpQueues(place)),
    ...dumpFolder('media', join(place.dataDir, 'media')),
  ]
}

/** The rows and documents of all services. */
export async function dumpDatabases(place: Place): Promise<Piece[]> {
  const databases = await openDatabases(place)
  const pieces: Piece[] = []
  try {
    for (const service of servicesWith('postgres')) {
      const tables = await databases.rows<{ name: string }>(
        service,
        `select tablename as name from pg_tables where schemaname = 'public'`,
      )
      for (const { name } of tables) {
        const rows = await databases.rows<{ row: string }>(service, `select to_jsonb(t)::text as row from "${name}" t`)
        pieces.push({ where: `${service}.${name}`, bytes: Buffer.from(rows.map(({ row }) => row).join('\n')) })
      }
    }
    for (const service of servicesWith('mongo'))
      for (const { name } of await databases.mongo(service).listCollections().toArray()) {
        const documents = await databases.mongo(service).collection(name).find().toArray()
        const text = documents.map((document) => BSON.EJSON.stringify(document)).join('\n')
        pieces.push({ where: `${service}.${name}`, bytes: Buffer.from(text) })
      }
    return pieces
  } finally {
    await databases.close()
  }
}

async function dumpRedis({ stores }: Place): Promise<Piece[]> {
  const redis = openRedis({ url: stores.urls.redis, log: createLog('drill', 'silent'), commandTimeoutMs: 10_000 })
  try {
    await redis.ping().catch(() => new Promise((resolve) => redis.once('ready', resolve)))
    const pieces: Piece[] = []
    for (const key of await redis.keys('*')) {
      // The value as Redis itself would move it: whatever its type, its bytes are in there.
      const bytes = await redis.dumpBuffer(key)
      const readable = (await redis.type(key)) === 'string' ? await redis.getBuffer(key) : undefined
      pieces.push({
        where: `redis ${key}`,
        bytes: Buffer.concat([key, bytes ?? '', readable ?? ''].map((part) => Buffer.from(part))),
      })
    }
    return pieces
  } finally {
    redis.disconnect()
  }
}

/** Takes every message of every queue, and lets the broker put them back. */
async function dumpQueues(place: Place): Promise<Piece[]> {
  const connection = connectBroker({
    url: place.stores.urls.rabbitmq,
    name: 'drill',
    log: createLog('drill', 'silent'),
  })
  try {
    const { queues } = await listBrokerObjects(place)
    const pieces: Piece[] = []
    for (const queue of queues) {
      const channel = await connection.acquire()
      for (;;) {
        const message = await channel.basicGet({ queue })
        if (!message) break
        const body = Buffer.isBuffer(message.body) ? message.body : Buffer.from(JSON.stringify(message.body))
        const headers = Buffer.from(JSON.stringify(message.headers ?? {}))
        pieces.push({ where: `queue ${queue}`, bytes: Buffer.concat([body, Buffer.from('\n'), headers]) })
      }
      await channel.close()
    }
    return pieces
  } finally {
    await disconnectBroker(connection)
  }
}

/** The files of a folder, names included. */
export function dumpFolder(label: string, folder: string): Piece[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return { where: `${label} ${entry.name}`, bytes: Buffer.concat([Buffer.from(`${path}\n`), readFileSync(path)]) }
    })
}
