import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createLog } from '@haat/kit/log'
import { openPostgres, sql } from '@haat/kit/postgres'
import { startStores } from '@haat/stores/stores'
import { portsFrom } from '../environment.ts'
import { roster } from '../roster.ts'
import { backUpPostgres, collectLog, dumpMongo, restoreMongo, restorePostgres } from './backup.ts'
import { type Answers, checkout, type Plan } from './customers.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { readFacts } from './invariants/facts.ts'
import { countOrders, findAnomalies } from './invariants.ts'
import { openMarket } from './market.ts'

export type Figures = {
  /** Checkouts that had ended when everything was lost. */
  checkouts: number
  /** How old the copy of each store was at that moment, in seconds; PostgreSQL's log went on to the end. */
  age: { mongo: number; media: number; postgres: number }
  seconds: { backup: number; start: number; drain: number }
  /** Events that were published once more. */
  replayed: number
  orders: Record<string, number>
  faults: string[]
}

type Sizes = {
  folder: string
  basePort: number
  customers: number
  /** How long customers go on before the backup, and between it and the loss of everything. */
  seconds: number
  drainSeconds: number
  log: (line: string) => void
}

/**
 * Takes a backup of every store while customers check out, lets them go on, and loses everything at once: all processes, all
 * stores. From the copies, PostgreSQL's log and nothing else a second installation comes up, finishes what was under way and
 * has lost nothing a customer was told. The provider lives on, as providers do.
 */
export async function restore(sizes: Sizes): Promise<Figures> {
  const { folder, log } = sizes
  const [first, second, backup] = ['first', 'second', 'backup'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(backup, { recursive: true })
  const ports = portsFrom(sizes.basePort)
  const faults: string[] = []

  const fleet = await startFleet({ dataDir: first, ports, durable: true, log })
  const { shopping, copies, lostAt } = await (async () => {
    try {
      const shopping = await startShopping(fleet, sizes.customers)
      await pause(sizes.seconds * 1000)
      const copies = await takeBackup(fleet, first, backup, log)
      await pause(sizes.seconds * 1000)
      shopping.stop()
      await loseEverything(fleet, copies.dataDirectory)
      return { shopping, copies, lostAt: Date.now() }
    } finally {
      await fleet.close()
    }
  })()
  const checkouts = shopping.told.length
  log(`everything is lost after ${checkouts} checkouts; restoring`)
  await collectLog(copies.dataDirectory, join(backup, 'wal'))

  const started = performance.now()
  await putBack(backup, second)
  // The provider's own record, which nobody of ours can lose.
  copyFileSync(join(first, 'stripe.json'), join(second, 'stripe.json'))
  const since = new Date(copies.startedAt - REPLAY_MARGIN_MS).toISOString()
  const restored = await startFleet({ dataDir: second, ports, durable: true, log })
  try {
    // Only when all services have declared their queues is an event published once more heard by everybody concerned.
    const services = roster.filter(({ kind }) => kind === 'service')
    await Promise.all(services.map(({ name }) => restored.restart(name, { REPLAY_EVENTS_SINCE: since })))
    const startSeconds = secondsSince(started)
    await shopping.end()
    for (let anomalies = await findAnomalies(restored); anomalies.length; anomalies = await findAnomalies(restored)) {
      if (secondsSince(started) > startSeconds + sizes.drainSeconds) {
        faults.push(...anomalies)
        break
      }
      await pause(1_000)
    }
    const drainSeconds = secondsSince(started) - startSeconds
    faults.push(...(await missing(restored, shopping.told)))
    await checkout(restored, shopping.buyers[0]!, { lines: { TEA: 1 }, ending: 'pay' }, new Map()).catch((error) =>
      faults.push(`nobody can buy in the restored marketplace: ${error}`),
    )
    const age = (moment: number) => Math.round((lostAt - moment) / 1000)
    return {
      checkouts,
      age: { mongo: age(copies.mongoAt), media: age(copies.mediaAt), postgres: 0 },
      seconds: {
        backup: Math.round((copies.endedAt - copies.startedAt) / 1000),
        start: Math.round(startSeconds),
        drain: Math.round(drainSeconds),
      },
      replayed: countReplayed(second),
      orders: await countOrders(restored),
      faults,
    }
  } finally {
    await restored.close()
  }
}

/** Events under way when the backup began; and clocks differ. */
const REPLAY_MARGIN_MS = 5 * 60_000

/**
 * Copies every store, in an order in which what comes later may know more than what came before: documents before the files
 * they name, and PostgreSQL, whose log goes on to the end, last.
 */
async function takeBackup(fleet: Fleet, dataDir: string, target: string, log: (line: string) => void) {
  const startedAt = Date.now()
  copyFileSync(join(dataDir, 'secrets.json'), join(target, 'secrets.json'))
  await dumpMongo(fleet.stores.urls.mongo, join(target, 'mongo'))
  const mongoAt = Date.now()
  cpSync(join(dataDir, 'media'), join(target, 'media'), { recursive: true })
  const mediaAt = Date.now()
  const dataDirectory = await backUpPostgres(fleet.stores.urls.postgres, join(target, 'postgres'))
  log(`backup taken in ${Date.now() - startedAt} ms`)
  return { startedAt, mongoAt, mediaAt, endedAt: Date.now(), dataDirectory }
}

/** Ends all processes and PostgreSQL without warning. Nothing of the other stores is used again. */
async function loseEverything(fleet: Fleet, dataDirectory: string): Promise<void> {
  const postmaster = Number(readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0])
  process.kill(postmaster, 'SIGKILL')
  await Promise.all(roster.map(({ name }) => fleet.kill(name)))
}

/** Lays the copies into a folder where nothing has been. RabbitMQ and Redis begin empty. */
async function putBack(backup: string, dataDir: string): Promise<void> {
  const stores = await startStores({ dataDir, only: ['postgres', 'mongo'] })
  const { db, close } = openPostgres<never>({
    url: stores.urls.postgres,
    poolSize: 1,
    name: 'restore',
    log: createLog('restore', 'silent'),
  })
  const { rows } = await sql<{ data_directory: string }>`show data_directory`.execute(db)
  await close()
  await restoreMongo(join(backup, 'mongo'), stores.urls.mongo)
  await stores.close()
  await restorePostgres(join(backup, 'postgres'), join(backup, 'wal'), rows[0]!.data_directory)
  cpSync(join(backup, 'media'), join(dataDir, 'media'), { recursive: true })
  copyFileSync(join(backup, 'secrets.json'), join(dataDir, 'secrets.json'))
}

const ENDINGS: Plan['ending'][] = ['pay', 'pay', 'cancel', 'decline, pay', 'repent']

/** Customers who check out again and again; `told` are the orders whose end they have seen. */
async function startShopping(fleet: Fleet, customers: number) {
  const market = await openMarket(fleet)
  await market.shelve(market.leaf, 'TEA', 33_333, 100_000)
  await market.shelve(market.cup, 'MUG', 45_050, 100_000)
  const buyers = []
  while (buyers.length < customers) buyers.push(await market.customer())
  const told: { orderNo: string; ending: Plan['ending'] }[] = []
  const answers: Answers = new Map()
  let isOver = false
  const people = buyers.map(async (buyer, at) => {
    for (let index = at; !isOver; index += 1) {
      const lines = { TEA: 1 + (index % 3), ...(index % 2 ? { MUG: 1 } : {}) }
      const ending = ENDINGS[index % ENDINGS.length]!
      const { orderNo } = await checkout(fleet, buyer, { lines, ending }, answers)
      told.push({ orderNo, ending })
    }
  })
  return {
    buyers,
    told,
    stop: () => {
      isOver = true
    },
    /** Whoever was cut off repeats what had no answer, with the same key, until the restored marketplace answers. */
    end: () => Promise.allSettled(people),
  }
}

/** What customers were told and is not so. */
async function missing(fleet: Fleet, told: { orderNo: string; ending: Plan['ending'] }[]): Promise<string[]> {
  const { orders } = await readFacts(fleet)
  const stateOf = new Map(
    orders.map(({ orderNo, state, status }) => [orderNo, status === 'cancelled' ? 'cancelled' : state]),
  )
  return told.flatMap(({ orderNo, ending }) => {
    const state = stateOf.get(orderNo) ?? 'unknown'
    const expected = ending === 'cancel' || ending === 'repent' ? 'cancelled' : 'paid'
    return state === expected ? [] : [`order ${orderNo} ended with "${ending}", and is ${state}`]
  })
}

/** As the services say in their logs. */
function countReplayed(dataDir: string): number {
  const lines = roster.flatMap(({ name }) => {
    const file = join(dataDir, 'log', `${name}.log`)
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  })
  return lines
    .filter((line) => line.includes('"replayed":'))
    .reduce((sum, line) => sum + (JSON.parse(line) as { replayed: number }).replayed, 0)
}

const secondsSince = (moment: number) => (performance.now() - moment) / 1000

/** The drill in full length. */
export async function run(args: string[]): Promise<string[]> {
  const { values } = parseArgs({
    args,
    options: {
      customers: { type: 'string', default: '6' },
      seconds: { type: 'string', default: '30' },
      'data-dir': { type: 'string' },
    },
  })
  const folder = values['data-dir'] ?? fileURLToPath(new URL('../../../../.data/drill-restore', import.meta.url))
  const { faults, ...figures } = await restore({
    folder,
    basePort: 23_120,
    customers: Number(values.customers),
    seconds: Number(values.seconds),
    drainSeconds: 180,
    log: (line) => console.log(line),
  })
  console.log(figures)
  return faults
}
