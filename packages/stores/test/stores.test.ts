import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Collection, type Db, MongoClient, type Sort } from 'mongodb'
import pg from 'pg'
import { Connection } from 'rabbitmq-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { identify, isAlive, type ProcessIdentity } from '../src/process-identity.ts'
import { type Stores, startStores, urlVariables, wipe } from '../src/stores.ts'

// The local servers are meant, whatever the environment and Docker offer; and none waits for a download of mongod.
const place = mkdtempSync(join(tmpdir(), 'haat-stores-'))
const programs = join(place, 'programs')
const fakeDocker = join(programs, 'docker')
const opened: Stores[] = []
const dataDirs = new Set<string>()
const ports = { postgres: 18432, mongo: 18017, redis: 18379, rabbitmq: 18672 }
const logged: string[] = []

beforeAll(() => {
  for (const variable of Object.values(urlVariables)) delete process.env[variable]
  process.env.MONGOMS_RUNTIME_DOWNLOAD = 'false'
  process.env.PATH = `${programs}:${process.env.PATH}`
  mkdirSync(programs)
  setDocker('exit 1')
})

afterAll(async () => {
  await Promise.all(opened.map((stores) => stores.close()))
  setDocker('exit 1')
  for (const dataDir of [...dataDirs, place]) await wipe(dataDir)
}, 60_000)

const full = newDataDir('full')
let stores: Stores

test('a second start finds what was written before close()', { timeout: 120_000 }, async () => {
  stores = await start(full)
  await write(stores, 'first')
  await stores.close()
  expect(livingServers(full)).toEqual([])
  stores = await start(full)
  expect(await read(stores)).toEqual({ postgres: 'first', mongo: 'first', redis: 'first', rabbitmq: 'first' })
})

test('MongoDB finds by its indexes what it finds without them, in the order asked for, after any writes and after a restart', {
  timeout: 120_000,
}, async () => {
  const names = ['ash', 'birch', 'cedar', 'elm']
  // A linear congruential generator (Numerical Recipes): the same writes in every run.
  let seed = 7
  const random = (below: number) => {
    seed = (1664525 * seed + 1013904223) % 2 ** 32
    return Math.floor((seed / 2 ** 32) * below)
  }
  const name = () => `${names[random(names.length)]}${random(12)}`
  const day = () => new Date(Date.UTC(2026, 0, random(40)))
  const some = <T>(make: () => T) => Array.from({ length: random(4) }, make)
  const document = () => ({
    code: random(1e9),
    word: random(9) ? name() : null,
    tags: some(name),
    parts: some(() => ({ sku: name(), sizes: some(name) })),
    n: random(5),
    open: random(20) > 0,
    at: random(9) ? day() : random(2) ? null : some(day),
    spot: random(9) ? name() : some(name),
    // In few documents, as a sparse index's field is.
    ...(random(8) ? {} : { since: random(4) ? random(100) : null }),
    ...(random(8) ? {} : { waiting: some(() => (random(3) ? { id: name() } : {})) }),
  })
  type Anything = { _id: number; word?: string | null; tags?: string[]; n?: number }
  const write = async (collections: Collection<Anything>[]) => {
    const id = random(300)
    const [kind, made, word] = [random(10), document(), name()]
    for (const collection of collections)
      if (kind < 4) await collection.replaceOne({ _id: id }, made, { upsert: true })
      else if (kind < 6)
        await collection.updateMany({ word }, { $set: { word: made.word, since: made.n }, $inc: { n: 1 } })
      else if (kind < 8)
        await collection.updateOne({ _id: id, n: made.n }, {
          $push: { tags: word },
          $unset: { parts: '', since: '' },
        } as never)
      else if (kind < 9) await collection.deleteOne({ _id: id, n: made.n })
      else await collection.deleteMany({ tags: { $in: [word, 'ash0'] }, n: made.n })
  }
  const queries = (): object[] => [
    { word: name() },
    { word: { $in: [name(), name()] }, n: { $lt: 3 } },
    { word: null },
    { word: { $ne: name() } },
    { tags: name() },
    { tags: { $all: [name()] } },
    { tags: [name()] },
    { 'parts.sku': name(), n: random(5) },
    { 'parts.sizes': { $in: [name(), 3] } },
    { 'parts.sizes': { $in: [name(), name(), name()] } },
    { _id: { $in: [random(300), random(300)] }, word: { $ne: null } },
    { code: random(1e9), n: 1 },
    { open: false, word: { $in: [name(), name()] } },
    { open: { $in: [false] }, n: random(5) },
    { open: true, n: random(5) },
    { since: { $exists: true } },
    { since: { $lt: random(100) }, n: random(5) },
    { since: { $gte: 10, $lte: 60 } },
    { since: { $type: 'null' } },
    { since: { $lte: null } },
    { since: { $exists: false }, word: name() },
    { since: null, word: name() },
    { since: { $not: { $lt: 50 } }, word: name() },
    { 'waiting.id': { $exists: true } },
    { 'waiting.id': { $exists: true }, $or: [{ n: 1 }, { since: { $exists: false } }] },
    { 'waiting.id': { $exists: false }, word: name() },
    { at: { $lt: day() } },
    { at: { $lte: day() }, n: random(5) },
    { at: { $gt: day() }, word: { $ne: name() } },
    { at: { $gte: day() } },
    { at: { $gt: day(), $lt: day() } },
    { at: { $ne: day() }, n: 1 },
    { at: day() },
    { at: { $in: [day(), null] } },
    { tags: name(), open: true },
    { tags: 'nobody', open: true },
    { open: true, spot: name() },
    { tags: { $in: [name()] }, open: true, n: { $gte: random(4) } },
    { tags: { $in: [name(), name()] }, open: true, word: { $ne: name() } },
    { open: true, $or: [{ n: { $lt: 3 } }, { n: 3, _id: { $gt: random(300) } }] },
  ]
  const orders: Sort[] = [{ _id: 1 }, { n: -1, _id: 1 }, { n: 1, _id: 1 }, { since: 1, _id: -1 }]
  const compare = async (db: Db) => {
    let found = 0
    for (let round = 0; round < 60; round++)
      for (const query of queries()) {
        const [order, skip, limit] = [orders[random(orders.length)]!, random(3), random(2) * 5]
        const of = (name: string) => db.collection(name).find(query).sort(order).skip(skip).limit(limit).toArray()
        const [indexed, plain] = await Promise.all([of('indexed'), of('plain')])
        expect(indexed, JSON.stringify({ query, order, skip, limit })).toEqual(plain)
        found += plain.length
      }
    expect(found).toBeGreaterThan(1000)
  }

  let client = await new MongoClient(stores.urls.mongo).connect()
  const [indexed, plain] = ['indexed', 'plain'].map((name) => client.db('haat').collection<Anything>(name)) as [
    Collection<Anything>,
    Collection<Anything>,
  ]
  await indexed.createIndexes([
    { key: { word: 1, n: -1, _id: 1 }, name: 'word' },
    { key: { tags: 1, open: 1, n: -1, _id: 1 }, name: 'tags' },
    { key: { 'parts.sku': 1 }, name: 'sku' },
    { key: { code: 1 }, name: 'code', unique: true },
    { key: { open: 1, n: -1, _id: 1 }, name: 'open' },
    { key: { at: 1, n: -1, _id: 1 }, name: 'at' },
    { key: { open: 1, since: 1, _id: -1 }, name: 'open_since' },
    { key: { open: 1, spot: 1, n: -1, _id: 1 }, name: 'open_spot' },
    { key: { since: 1 }, name: 'since', sparse: true },
    { key: { 'waiting.id': 1 }, name: 'waiting', sparse: true },
  ])
  for (let count = 0; count < 1500; count++) await write([indexed, plain])
  await indexed.createIndex({ 'parts.sizes': 1 }, { name: 'sizes' })
  await compare(client.db('haat'))
  await client.close()
  await stores.close()
  stores = await start(full)
  client = await new MongoClient(stores.urls.mongo).connect()
  await compare(client.db('haat'))
  await client.close()
})

test('who reads a document of MongoDB while it is changed reads it as it was before or after, never half of each', {
  timeout: 120_000,
}, async () => {
  const client = await new MongoClient(stores.urls.mongo).connect()
  const documents = client.db('torn').collection<{ _id: string; first: number; last: number }>('documents')
  const between = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`field${at}`, `${at}`.repeat(40)]))
  await documents.insertOne({ _id: 'a', first: 0, ...between, last: 0 })
  let torn = 0
  let read = 0
  let isOver = false
  const readers = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const { first, last } = (await documents.findOne({ _id: 'a' }))!
      read += 1
      if (first !== last) torn += 1
    }
  })
  for (let n = 1; n <= 1_000; n += 1) {
    const change = { $set: { last: n, first: n } }
    if (n % 2) await documents.updateOne({ _id: 'a', last: n - 1 }, change)
    else await documents.findOneAndUpdate({ _id: 'a', last: n - 1 }, change)
  }
  isOver = true
  await Promise.all(readers)
  expect(await documents.findOne({ _id: 'a' })).toMatchObject({ first: 1_000, last: 1_000 })
  await client.close()
  expect({ torn, enough: read > 1_000 }).toEqual({ torn: 0, enough: true })
})

test('a start after kill -9 of every store process finds what was written', { timeout: 120_000 }, async () => {
  await write(stores, 'second')
  // mongo-java-server flushes four times a second.
  await sleep(1000)
  const killed = livingServers(full)
  expect(killed).toHaveLength(5)
  for (const { pid } of killed) process.kill(pid, 'SIGKILL')
  stores = await start(full)
  expect(await read(stores)).toEqual({ postgres: 'second', mongo: 'second', redis: 'second', rabbitmq: 'second' })
  await stores.close()
})

test('servers left behind by a killed starter are stopped by the next start and end with it on SIGTERM', {
  timeout: 60_000,
}, async () => {
  const dataDir = newDataDir('orphans')
  const first = await startCommand(dataDir)
  const orphans = livingServers(dataDir)
  expect(orphans).toHaveLength(2)
  first.kill('SIGKILL')
  await ended(first)
  expect(orphans.every(isAlive)).toBe(true)
  const second = await startCommand(dataDir)
  expect(orphans.some(isAlive)).toBe(false)
  expect(livingServers(dataDir)).toHaveLength(2)
  second.kill('SIGTERM')
  expect(await ended(second)).toBe(0)
  expect(livingServers(dataDir)).toEqual([])
})

test('a second start in the same folder while the first lives shares its server and leaves it running', async () => {
  const dataDir = newDataDir('shared')
  const owner = await start(dataDir, ['redis'])
  const guest = await start(dataDir, ['redis'])
  expect(guest.urls.redis).toBe(owner.urls.redis)
  await guest.close()
  expect(livingServers(dataDir)).toHaveLength(1)
})

test('a port of another program is left alone, and the log names the replacement', async () => {
  const taken = createServer()
  const port = 18979
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve))
  const { urls } = await startStores({
    dataDir: newDataDir('ports'),
    only: ['redis'],
    ports: { redis: port },
    log: (line) => logged.push(line),
  }).then(opening)
  expect(urls.redis).toBe(`redis://127.0.0.1:${port + 10}`)
  expect(logged).toContain(`redis: port ${port} is taken by another program, using ${port + 10}`)
  taken.close()
})

test('a URL in the environment comes before everything else, and close() leaves its store running', async () => {
  const own = await start(newDataDir('own'), ['redis'])
  process.env.REDIS_URL = own.urls.redis
  try {
    const given = await start(newDataDir('given'), ['redis'])
    expect(given.chosen.redis).toBe('REDIS_URL from the environment')
    await given.close()
    const client = new Redis(own.urls.redis)
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  } finally {
    delete process.env.REDIS_URL
  }
})

test('a Docker engine that answers comes before a local server, and close() stops only what was started', async () => {
  const own = await start(newDataDir('container'), ['redis'])
  const port = new URL(own.urls.redis).port
  // An engine whose compose says the service runs already.
  setDocker(`echo "$*" >> ${place}/docker-calls; case "$*" in *" port redis 6379") echo 127.0.0.1:${port};; esac`)
  try {
    const inDocker = await start(newDataDir('docker'), ['redis'])
    expect(inDocker.urls.redis).toBe(`redis://127.0.0.1:${port}`)
    expect(inDocker.chosen.redis).toMatch(/^Docker/)
    await inDocker.close()
    const calls = readFileSync(join(place, 'docker-calls'), 'utf8')
    expect(calls).not.toMatch(/ (up|stop) /)
  } finally {
    setDocker('exit 1')
  }
})

test('a Docker engine that cannot bring the stores up gives way to a local server', async () => {
  setDocker('case "$1 $*" in *" up "*|*" port "*) exit 1;; esac')
  try {
    const local = await start(newDataDir('docker-fails'), ['redis'])
    expect(local.chosen.redis).toMatch(/^redis-server/)
  } finally {
    setDocker('exit 1')
  }
})

test('wipe stops the servers and deletes the data', async () => {
  const dataDir = newDataDir('wiped')
  await start(dataDir, ['redis'])
  const [server] = livingServers(dataDir)
  await wipe(dataDir)
  expect(server && isAlive(server)).toBe(false)
  expect(existsSync(dataDir)).toBe(false)
})

function newDataDir(name: string): string {
  const dataDir = join(place, name)
  dataDirs.add(dataDir)
  return dataDir
}

const start = (dataDir: string, only?: ('postgres' | 'redis')[]): Promise<Stores> =>
  startStores({ dataDir, durable: false, ports, log: (line) => logged.push(line), ...(only ? { only } : {}) }).then(
    opening,
  )

function opening(stores: Stores): Stores {
  opened.push(stores)
  return stores
}

async function startCommand(dataDir: string): Promise<ChildProcess> {
  const main = join(import.meta.dirname, '..', 'src', 'main.ts')
  const child = spawn(process.execPath, [main, '--data-dir', dataDir, '--not-durable', '--only', 'postgres,redis'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += chunk
    if (/export POSTGRES_URL=.*\nexport REDIS_URL=.*\n/.test(output)) return child
  }
  throw new Error(`the command ended: ${output}`)
}

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', resolve))

function setDocker(script: string): void {
  writeFileSync(fakeDocker, `#!/bin/sh\n${script}\n`)
  chmodSync(fakeDocker, 0o755)
}

/** The store processes of this folder that are alive, by their run records. */
function livingServers(dataDir: string): ProcessIdentity[] {
  const folder = join(dataDir, 'run')
  return readdirSync(folder)
    .map((file) => (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { server: ProcessIdentity }).server)
    .filter((server) => identify(server.pid)?.started === server.started)
}

async function write({ urls }: Stores, value: string): Promise<void> {
  await withStores(urls, async ({ postgres, mongo, redis, rabbitmq }) => {
    await postgres.query('CREATE TABLE IF NOT EXISTS notes (text text)')
    await postgres.query('DELETE FROM notes')
    await postgres.query('INSERT INTO notes VALUES ($1)', [value])
    await mongo
      .db('test')
      .collection('notes')
      .updateOne({ name: 'note' }, { $set: { text: value } }, { upsert: true })
    await redis.set('note', value)
    await rabbitmq.queueDeclare({ queue: 'notes', durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await rabbitmq.queuePurge({ queue: 'notes' })
    const publisher = rabbitmq.createPublisher({ confirm: true })
    await publisher.send({ routingKey: 'notes', durable: true }, value)
    await publisher.close()
  })
}

async function read({ urls }: Stores): Promise<Record<string, unknown>> {
  return withStores(urls, async ({ postgres, mongo, redis, rabbitmq }) => ({
    postgres: (await postgres.query('SELECT text FROM notes')).rows[0]?.text,
    mongo: (await mongo.db('test').collection('notes').findOne({ name: 'note' }))?.text,
    redis: await redis.get('note'),
    rabbitmq: String((await rabbitmq.basicGet({ queue: 'notes', noAck: true }))?.body),
  }))
}

type Clients = { postgres: pg.Client; mongo: MongoClient; redis: Redis; rabbitmq: Connection }

async function withStores<T>(urls: Stores['urls'], action: (clients: Clients) => Promise<T>): Promise<T> {
  const clients = {
    postgres: new pg.Client(urls.postgres),
    mongo: new MongoClient(urls.mongo),
    redis: new Redis(urls.redis),
    rabbitmq: new Connection(urls.rabbitmq),
  }
  try {
    await clients.postgres.connect()
    return await action(clients)
  } finally {
    await Promise.allSettled([
      clients.postgres.end(),
      clients.mongo.close(),
      clients.redis.quit(),
      clients.rabbitmq.close(),
    ])
  }
}
