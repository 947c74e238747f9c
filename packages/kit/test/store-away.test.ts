import { createServer, type Socket } from 'node:net'
import { MongoBulkWriteError, MongoClient } from 'mongodb'
import { afterAll, describe, expect, test } from 'vitest'
import { createLog } from '../src/log.ts'
import { openPostgres, sql } from '../src/postgres.ts'
import { openRedis } from '../src/redis.ts'
import { isStoreAway } from '../src/store-away.ts'
import { createMongo, createProxy } from './events-support.ts'

const log = createLog('test', 'silent')

// A port nobody listens on, and one where whoever connects hears nothing.
const sockets = new Set<Socket>()
const listen = () =>
  new Promise<{ port: number; close(): Promise<void> }>((resolve) => {
    const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)))
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as { port: number }).port,
        close: () => new Promise((closed) => void server.close(() => closed())),
      }),
    )
  })
const silent = await listen()
const refusing = await listen()
await refusing.close()
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await silent.close()
})

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe.for([
  ['refuses connections', refusing.port],
  ['does not answer', silent.port],
] as const)('a store that %s is away', ([, port]) => {
  test('PostgreSQL', async () => {
    const { db, close } = openPostgres<never>({ url: `postgres://u:p@127.0.0.1:${port}/d`, name: 'test', log })
    expect(isStoreAway(await failure(sql`select 1`.execute(db)))).toBe(true)
    await close()
  })

  test('MongoDB', async () => {
    const client = new MongoClient(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 100 })
    expect(isStoreAway(await failure(client.db('d').collection('c').findOne({})))).toBe(true)
    await client.close()
  })

  test('Redis', async () => {
    const redis = openRedis({ url: `redis://127.0.0.1:${port}`, log, commandTimeoutMs: 50 })
    for (let i = 0; i < 3; i++) expect(isStoreAway(await failure(redis.get('key')))).toBe(true)
    redis.disconnect()
  })
})

test('a MongoDB that goes away in the middle of a bulk write is away; a write that it refuses is not', async () => {
  const { databaseName } = await createMongo()
  const proxy = await createProxy(process.env.MONGO_URL!)
  const client = new MongoClient(proxy.url, { directConnection: true, retryWrites: false })
  const things = client.db(databaseName).collection<{ _id: number }>('things')
  const write = () => failure(things.insertMany([{ _id: 1 }, { _id: 2 }], { ordered: false }))
  expect(await write()).toBeUndefined()
  const refused = await write()
  expect(refused).toBeInstanceOf(MongoBulkWriteError)
  expect(isStoreAway(refused)).toBe(false)
  proxy.stall(true)
  const writing = write()
  await new Promise((resolve) => setTimeout(resolve, 50))
  proxy.cut()
  const lost = await writing
  expect(lost).toBeInstanceOf(MongoBulkWriteError)
  expect(isStoreAway(lost)).toBe(true)
  await client.close()
})

test('a PostgreSQL that shuts down, or ends our connection, is away; a broken rule or a wrong statement is none of that', async () => {
  const { db, close } = openPostgres<never>({ url: process.env.POSTGRES_URL!, name: 'test', log })
  for (const wrong of [sql`select 1 / 0`, sql`select * from nowhere`, sql`select 'x'::uuid`])
    expect(isStoreAway(await failure(wrong.execute(db)))).toBe(false)
  const cut = db.connection().execute((own) => sql`select pg_terminate_backend(pg_backend_pid())`.execute(own))
  expect(isStoreAway(await failure(cut))).toBe(true)
  await close()
  expect(isStoreAway(new TypeError('undefined is not a function'))).toBe(false)
  expect(isStoreAway('text')).toBe(false)
})

test('statements are prepared once, and a migration under a running service costs each of them one refusal to try again', async () => {
  const { db, close } = openPostgres<never>({
    url: process.env.POSTGRES_URL!,
    poolSize: 1,
    name: 'test',
    log,
  })
  await sql`create temporary table things (id int)`.execute(db)
  const select = sql`select * from things where id = ${1}`
  const prepared = async () =>
    (await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db)).rows
  for (let i = 0; i < 3; i++) await select.execute(db)
  expect(await prepared()).toEqual([{ statement: 'select * from things where id = $1' }])

  await sql`alter table things add column name text`.execute(db)
  await sql`insert into things values (1, 'new')`.execute(db)
  expect(isStoreAway(await failure(select.execute(db)))).toBe(true)
  for (let i = 0; i < 3; i++) expect((await select.execute(db)).rows).toEqual([{ id: 1, name: 'new' }])
  await close()
})
