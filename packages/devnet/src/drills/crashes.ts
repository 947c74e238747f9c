import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ok } from '@haat/client'
import { createLog } from '@haat/kit/log'
import { openPostgres, sql } from '@haat/kit/postgres'
import type { Shopper } from '../actors.ts'
import { portsFrom } from '../environment.ts'
import { type Answers, checkout, type Plan } from './customers.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { countOrders, findAnomalies } from './invariants.ts'
import { bdt, type Market, openMarket } from './market.ts'

/** Those that a checkout passes through. */
const VICTIMS = ['order', 'payment', 'inventory', 'cart', 'promotion', 'vendor']

export type Figures = {
  checkouts: number
  outcomes: Record<string, number>
  strikes: Record<string, number>
  answers: Record<string, number>
  orders: Record<string, number>
  /** From the first customer to the last. */
  seconds: number
  /** From the end of the last strike until nothing was wrong. */
  drainSeconds: number
  faults: string[]
}

type Sizes = {
  checkouts: number
  /** Customers at a time. */
  atOnce: number
  /** Average pause between two strikes. */
  everyMs: number
  /** No strike after so many. */
  strikes?: number
  drainSeconds: number
  log: (line: string) => void
}

/**
 * Customers check out while processes are killed, broker connections cut and database backends terminated under them. When
 * all is up again and has come to rest, nothing may be lost, doubled or left over.
 */
export async function crashes(fleet: Fleet, sizes: Sizes): Promise<Figures> {
  const { checkouts, log } = sizes
  const market = await openMarket(fleet)
  const shelf = await fillShelves(market, checkouts)
  const buyers: Shopper[] = []
  while (buyers.length < Math.min(checkouts, 4 * sizes.atOnce)) buyers.push(await market.customer())
  log(`${checkouts} checkouts, ${sizes.atOnce} at a time`)

  const faults: string[] = []
  const outcomes = new Map<string, number>()
  const answers: Answers = new Map()
  const storm = startStorm(fleet, sizes)
  const started = performance.now()
  let next = 0
  const shopping = async () => {
    for (let index = next++; index < checkouts; index = next++) {
      const buyer = await takeFree(buyers)
      try {
        count(outcomes, (await checkout(fleet, buyer, planOf(index, shelf), answers)).ending)
      } catch (error) {
        faults.push(`checkout ${index} had no end: ${error}`)
        count(outcomes, 'failed')
      }
      buyers.push(buyer)
      if ((index + 1) % 100 === 0) log(`${index + 1} checkouts, ${storm.total()} strikes`)
    }
  }
  await Promise.all(Array.from({ length: sizes.atOnce }, shopping))
  const seconds = secondsSince(started)
  const strikes = await storm.end()

  const calm = performance.now()
  log(`all is up again; waiting until all is at rest`)
  for (let anomalies = await findAnomalies(fleet); ; anomalies = await findAnomalies(fleet)) {
    if (anomalies.length === 0) break
    if (secondsSince(calm) > sizes.drainSeconds) {
      faults.push(...anomalies)
      break
    }
    await pause(1_000)
  }
  return {
    checkouts,
    outcomes: Object.fromEntries(outcomes),
    strikes,
    answers: Object.fromEntries([...answers].sort(([, a], [, b]) => b - a)),
    orders: await countOrders(fleet),
    seconds: Math.round(seconds),
    drainSeconds: Math.round(secondsSince(calm)),
    faults,
  }
}

type Shelf = { plenty: string[]; scarce: string; coupon: string; rareCoupon: string }

/** Three vendors with plenty of goods, one thing that does not suffice for all, and two coupons, one of them rare. */
async function fillShelves(market: Market, checkouts: number): Promise<Shelf> {
  const lamp = await market.openShop('Lamp House')
  const shelf = { plenty: ['TEA', 'MUG', 'LAMP'], scarce: 'LAST', coupon: 'TEN', rareCoupon: 'FEW' }
  const few = Math.ceil(checkouts / 20)
  await market.shelve(market.leaf, 'TEA', 33_333, checkouts * 10)
  await market.shelve(market.cup, 'MUG', 45_050, checkouts * 10)
  await market.shelve(lamp, 'LAMP', 120_001, checkouts * 10)
  await market.shelve(market.leaf, 'LAST', 99_900, few)
  const common = { fundedBy: 'platform', isActive: true } as const
  for (const coupon of [
    { ...common, code: shelf.coupon, type: 'percent' as const, percentBps: 1000 },
    { ...common, code: shelf.rareCoupon, type: 'fixed' as const, amount: bdt(5_001), usageLimit: few },
  ])
    await ok(market.admin.POST('/v1/admin/coupons', { body: coupon }))
  return shelf
}

const ENDINGS: Plan['ending'][] = [
  'pay',
  'pay',
  'cancel',
  'pay',
  'decline, pay',
  'pay',
  'repent',
  'pay',
  'pay',
  'leave',
]

/** The same wish for the same number, whatever happens around it. */
function planOf(index: number, shelf: Shelf): Plan {
  const vendors = 1 + (index % 3)
  const lines = Object.fromEntries(shelf.plenty.slice(0, vendors).map((sku, at) => [sku, 1 + ((index + at) % 3)]))
  if (index % 7 === 3) lines[shelf.scarce] = 1
  const coupon = index % 4 === 1 ? shelf.coupon : index % 9 === 2 ? shelf.rareCoupon : undefined
  return { lines, ending: ENDINGS[index % ENDINGS.length]!, ...(coupon ? { coupon } : {}) }
}

/** Strikes at random moments until it is ended; what is down then comes up again. */
function startStorm(fleet: Fleet, sizes: Sizes) {
  const strikes = new Map<string, number>()
  const backends = openPostgres<never>({
    url: fleet.stores.urls.postgres,
    poolSize: 1,
    name: 'storm',
    log: createLog('storm', 'silent'),
  })
  const total = () => [...strikes.values()].reduce((sum, n) => sum + n, 0)
  let down: Promise<void> | undefined
  let upSince = 0
  let isOver = false

  const killProcess = () => {
    const name = VICTIMS[Math.floor(Math.random() * VICTIMS.length)]!
    count(strikes, `kill -9 ${name}`)
    down = revive(fleet, name, sizes.log).finally(() => {
      down = undefined
      upSince = Date.now()
    })
  }
  const killBackend = async () => {
    const prefix = fleet.prefix ? `${fleet.prefix}_` : ''
    const databases = VICTIMS.map((name) => `${prefix}haat_${name}`)
    const { rows } = await sql<{ name: string }>`
      select datname as name, pg_terminate_backend(pid) from pg_stat_activity
       where pid = (select pid from pg_stat_activity
                     where datname = any(${databases}) and application_name = any(${VICTIMS}) order by random() limit 1)
    `.execute(backends.db)
    if (rows[0]) count(strikes, 'Postgres backend')
  }
  const cutBroker = () => {
    if (fleet.brokerWire.cutOne()) count(strikes, 'RabbitMQ connection')
  }
  const storm = (async () => {
    while (!isOver && total() < (sizes.strikes ?? Number.POSITIVE_INFINITY)) {
      await pause(sizes.everyMs * (0.5 + Math.random()))
      if (isOver) break
      const dice = Math.random()
      // One process at a time is down, and not all the time, so that there is progress to disturb.
      if (dice < 0.5 && !down && Date.now() - upSince > 2 * sizes.everyMs) killProcess()
      else if (dice < 0.75) cutBroker()
      else await killBackend()
    }
  })()
  return {
    total,
    async end() {
      isOver = true
      await storm
      await down
      await backends.close()
      return Object.fromEntries([...strikes].sort())
    },
  }
}

/** Kills a process and starts it until it stays up, as a cluster would. */
async function revive(fleet: Fleet, name: string, log: (line: string) => void): Promise<void> {
  await fleet.kill(name)
  for (let left = 5; ; left -= 1) {
    try {
      return await fleet.restart(name)
    } catch (error) {
      if (left === 0) throw error
      log(`${name} did not come up, once more: ${String(error).split('\n')[0]}`)
    }
  }
}

async function takeFree(buyers: Shopper[]): Promise<Shopper> {
  for (;;) {
    const buyer = buyers.shift()
    if (buyer) return buyer
    await pause(10)
  }
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
const secondsSince = (moment: number) => (performance.now() - moment) / 1000

/** The drill in full length, on stores of its own. */
export async function run(args: string[]): Promise<string[]> {
  const { values } = parseArgs({
    args,
    options: {
      checkouts: { type: 'string', default: '1000' },
      'at-once': { type: 'string', default: '12' },
      'every-ms': { type: 'string', default: '500' },
      'data-dir': { type: 'string' },
    },
  })
  const dataDir = values['data-dir'] ?? fileURLToPath(new URL('../../../../.data/drill-crashes', import.meta.url))
  rmSync(dataDir, { recursive: true, force: true })
  const log = (line: string) => console.log(line)
  const fleet = await startFleet({ dataDir, ports: portsFrom(23_000), durable: true, log })
  try {
    const { faults, ...figures } = await crashes(fleet, {
      checkouts: Number(values.checkouts),
      atOnce: Number(values['at-once']),
      everyMs: Number(values['every-ms']),
      drainSeconds: 300,
      log,
    })
    console.log(figures)
    return faults
  } finally {
    await fleet.close()
  }
}
