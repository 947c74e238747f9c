import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { type Kysely, sql } from 'kysely'
import { MongoClient } from 'mongodb'
import pg from 'pg'
import { Connection } from 'rabbitmq-client'
import { onTestFinished } from 'vitest'
import type { EventDefinition } from '../src/events/definition.ts'
import { type EventOptions, type Events, startEvents } from '../src/events/events.ts'
import type { EventMetrics, Outcome } from '../src/events/metrics.ts'
import { createLog } from '../src/log.ts'
import { openPostgres, withDatabase } from '../src/postgres.ts'

const required = (name: string) => {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: the tests need the stores`)
  return value
}
export const rabbitUrl = required('RABBITMQ_URL')
export const log = createLog('test', process.env.TEST_LOG_LEVEL ?? 'silent')
export const uniqueName = (prefix = 'test') => `${prefix}_${randomBytes(5).toString('hex')}`

export type Thing = { thingId: string; count: bigint; note: string }

const define = (type: string, version = 1): EventDefinition<Thing> => ({
  $type: `haat.test.v${version}.${type}`,
  type,
  version,
  aggregate: 'thing',
  aggregateIdField: 'thingId',
  toJSON: ({ thingId, count, note }) => ({ thingId, count: String(count), note }),
  fromJSON: (object) => {
    const { thingId, count, note } = object as Record<string, string>
    return { thingId: thingId!, count: BigInt(count!), note: note! }
  },
})
export const ThingHappened = define('thing.happened')
export const ThingEnded = define('thing.ended')
export const ThingHappenedV2 = define('thing.happened', 2)
export const thing = (thingId: string, note = ''): Thing => ({ thingId, count: 1n, note })

/** Polls until `check` does not throw; fails with its last error. */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 15_000): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

export type Schema = { effects: { event_id: string; thing_id: string } }

/** A database of its own with the event tables and a table of effects; gone after the test. */
export async function createDatabase() {
  const adminUrl = required('POSTGRES_URL')
  const name = uniqueName('kit')
  const admin = async (text: string) => {
    const client = new pg.Client({ connectionString: adminUrl })
    await client.connect()
    await client.query(text).finally(() => client.end())
  }
  await admin(`create database ${name}`)
  const url = withDatabase(adminUrl, name)
  const { db, pool, close } = openPostgres<Schema>({ url, name, log })
  await pool.query(await readFile(new URL('../sql/events.sql', import.meta.url), 'utf8'))
  await pool.query('create table effects (event_id uuid not null, thing_id text not null)')
  onTestFinished(async () => {
    await close()
    await admin(`drop database ${name} with (force)`)
  })
  /** Kills the backends of this database that match, as a failover would; answers how many. */
  const killBackends = async (where = 'true') => {
    const client = new pg.Client({ connectionString: adminUrl })
    await client.connect()
    const { rowCount } = await client
      .query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and ${where}`, [name])
      .finally(() => client.end())
    return rowCount ?? 0
  }
  /** The same database as another instance of the service has it, with connections of its own. */
  const ofAnotherInstance = () => {
    const another = openPostgres<Schema>({ url, name, log })
    onTestFinished(() => another.close())
    return another.db
  }
  return { db, url, killBackends, ofAnotherInstance, effects: () => countEffects(db) }
}

async function countEffects(db: Kysely<Schema>) {
  const { rows } = await sql<{ all: bigint; events: bigint }>`
    select count(*) as all, count(distinct event_id) as events from effects
  `.execute(db)
  return { all: Number(rows[0]!.all), events: Number(rows[0]!.events) }
}

export async function createMongo() {
  const client = new MongoClient(required('MONGO_URL'))
  await client.connect()
  const db = client.db(uniqueName('kit'))
  onTestFinished(async () => {
    await db.dropDatabase()
    await client.close()
  })
  return db
}

/** Counts outcomes by name. */
export function countingMetrics(): EventMetrics & Record<Outcome | 'publishedCount', number> {
  const counts = { ok: 0, duplicate: 0, retry: 0, dead: 0, requeued: 0, publishedCount: 0 }
  return Object.assign(counts, {
    published: () => void counts.publishedCount++,
    handled: (_type: string, outcome: Outcome) => void counts[outcome]++,
  })
}

/** Starts events with a prefix of their own; stopped and removed from the broker after the test. */
export async function start<Ctx>(options: Partial<EventOptions<Ctx>> & { prefix: string }): Promise<Events> {
  const events = await startEvents<Ctx>({
    service: 'things',
    url: rabbitUrl,
    log,
    handlers: [],
    ctx: undefined as Ctx,
    retrySeconds: [],
    secrets: ['of-tests-only'],
    ...options,
  })
  onTestFinished(async () => {
    await events.close()
    await removeFromBroker(events.brokerObjects)
  })
  return events
}

export async function removeFromBroker(objects: Events['brokerObjects']): Promise<void> {
  const broker = openBroker()
  for (const queue of objects.queues) await broker.queueDelete({ queue })
  for (const exchange of objects.exchanges) await broker.exchangeDelete({ exchange })
  await broker.close()
}

export function openBroker(): Connection {
  const broker = new Connection(rabbitUrl)
  broker.on('error', () => undefined)
  return broker
}

/** A TCP relay in front of a store, to cut and refuse connections for real. */
export async function createProxy(target: string) {
  const { port, hostname } = new URL(target)
  const sockets = new Set<Socket>()
  let refusing = false
  let stalled = false
  const server = createServer((incoming) => {
    if (refusing) return void incoming.destroy()
    const outgoing = connect(Number(port), hostname)
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      if (stalled) from.pause()
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  const url = new URL(target)
  url.port = String((server.address() as { port: number }).port)
  return {
    url: url.href,
    cut,
    /** Connections stay open and nothing passes, as with a broker under a memory alarm. */
    stall(yes: boolean) {
      stalled = yes
      for (const socket of sockets) yes ? socket.pause() : socket.resume()
    },
    refuse(yes: boolean) {
      refusing = yes
      if (yes) cut()
    },
  }
}
