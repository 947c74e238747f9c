import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ok, type StorefrontClient, type VendorClient } from '@haat/client'
import { portsFrom } from '../environment.ts'
import { roster } from '../roster.ts'
import { type Answers, checkout, failureOf, type Plan } from './customers.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { countOrders, findAnomalies } from './invariants.ts'
import { type Market, openMarket } from './market.ts'

export type Figures = {
  replaced: string[]
  requests: number
  /** Requests that had another end than the one they should have, by what they were answered. */
  failed: Record<string, number>
  /** Notices of the provider that were not taken at once. */
  noticesRepeated: number
  milliseconds: { median: number; p99: number; longest: number }
  orders: Record<string, number>
  seconds: number
  faults: string[]
}

type Sizes = {
  /** Whom to replace, one after the other. */
  names: string[]
  /** Customers who check out, and people who look at pages, all the time. */
  customers: number
  readers: number
  drainSeconds: number
  log: (line: string) => void
}

/**
 * Every process is replaced in turn as a rolling update does it on a cluster: the successor becomes ready, then the predecessor
 * is told to stop and drains. Customers, vendors and staff go on meanwhile, and none of their requests may fail.
 */
export async function rollingRestart(fleet: Fleet, sizes: Sizes): Promise<Figures> {
  const market = await openMarket(fleet)
  await market.shelve(market.leaf, 'TEA', 33_333, 100_000)
  await market.shelve(market.cup, 'MUG', 45_050, 100_000)
  const buyers = await Promise.all(Array.from({ length: sizes.customers }, () => market.customer()))
  const watch = startWatch()
  for (const { shop } of [...buyers, market.leaf, market.cup]) watch.over(shop)
  for (const client of [market.leaf.vendor, market.cup.vendor, market.admin as never as VendorClient])
    watch.over(client)

  const faults: string[] = []
  let isOver = false
  const shopping = async (buyer: (typeof buyers)[number], first: number) => {
    for (let index = first; !isOver; index += 1) {
      const plan: Plan = {
        lines: { TEA: 1, ...(index % 2 ? { MUG: 2 } : {}) },
        ending: index % 5 === 3 ? 'repent' : 'pay',
      }
      await checkout(fleet, buyer, plan, watch.failed).catch((error) => faults.push(`a checkout had no end: ${error}`))
    }
  }
  const started = performance.now()
  const people = [
    ...buyers.map(shopping),
    ...Array.from({ length: sizes.readers }, () => read(market, watch.failed, () => isOver)),
  ]
  await pause(1_000)
  for (const name of sizes.names) {
    const begun = performance.now()
    await fleet.replace(name)
    sizes.log(
      `replaced ${name} in ${Math.round(performance.now() - begun)} ms; ${watch.requests()} requests, ${sum(watch.failed)} failed`,
    )
  }
  await pause(1_000)
  isOver = true
  await Promise.all(people)
  const seconds = Math.round((performance.now() - started) / 1000)

  const calm = performance.now()
  for (let anomalies = await findAnomalies(fleet); anomalies.length; anomalies = await findAnomalies(fleet)) {
    if (performance.now() - calm > sizes.drainSeconds * 1000) {
      faults.push(...anomalies)
      break
    }
    await pause(500)
  }
  for (const [answer, times] of watch.failed) faults.push(`${times} requests were answered ${answer}`)
  const { attempts } = fleet.stripe.state().webhooks
  return {
    replaced: sizes.names,
    requests: watch.requests(),
    failed: Object.fromEntries(watch.failed),
    noticesRepeated: attempts.filter(({ status }) => status !== 200).length,
    milliseconds: watch.milliseconds(),
    orders: await countOrders(fleet),
    seconds,
    faults,
  }
}

/** Somebody who looks at pages of all three APIs. */
async function read({ admin, leaf }: Market, failed: Answers, isOver: () => boolean): Promise<void> {
  const path = { vendorId: leaf.vendorId }
  const pages: (() => Promise<unknown>)[] = [
    () => ok(leaf.shop.GET('/v1/products', { params: { query: {} } })),
    () => ok(leaf.vendor.GET('/v1/vendors/{vendorId}/orders', { params: { path, query: {} } })),
    () => ok(admin.GET('/v1/admin/orders', { params: { query: {} } })),
    () => ok(leaf.vendor.GET('/v1/vendors/{vendorId}/earnings', { params: { path, query: {} } })),
    () => ok(admin.GET('/v1/admin/ledger/trial-balance', { params: { query: {} } })),
    () => ok(leaf.shop.GET('/v1/categories')),
  ]
  for (let index = 0; !isOver(); index += 1) {
    await pages[index % pages.length]!().catch((error) => {
      const answer = failureOf(error)
      failed.set(answer, (failed.get(answer) ?? 0) + 1)
    })
    await pause(20)
  }
}

/** Counts and times the requests of clients. */
function startWatch() {
  const times: number[] = []
  const failed: Answers = new Map()
  return {
    failed,
    over(client: StorefrontClient | VendorClient) {
      const begun = new WeakMap<Request, number>()
      client.use({
        onRequest({ request }) {
          begun.set(request, performance.now())
        },
        onResponse({ request }) {
          times.push(performance.now() - (begun.get(request) ?? performance.now()))
        },
      })
    },
    requests: () => times.length,
    milliseconds() {
      const sorted = times.toSorted((a, b) => a - b)
      const at = (share: number) =>
        Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)
      return { median: at(0.5), p99: at(0.99), longest: at(1) }
    },
  }
}

const sum = (counts: Answers): number => [...counts.values()].reduce((total, n) => total + n, 0)

/** The drill in full length: every process, on stores of its own. */
export async function run(args: string[]): Promise<string[]> {
  const { values } = parseArgs({
    args,
    options: {
      customers: { type: 'string', default: '6' },
      readers: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '2' },
      only: { type: 'string' },
      'data-dir': { type: 'string' },
    },
  })
  const dataDir =
    values['data-dir'] ?? fileURLToPath(new URL('../../../../.data/drill-rolling-restart', import.meta.url))
  rmSync(dataDir, { recursive: true, force: true })
  const log = (line: string) => console.log(line)
  const names = values.only?.split(',') ?? roster.map(({ name }) => name)
  const fleet = await startFleet({ dataDir, ports: portsFrom(23_060), durable: true, fronts: true, log })
  try {
    const { faults, ...figures } = await rollingRestart(fleet, {
      names: Array.from({ length: Number(values.rounds) }, () => names).flat(),
      customers: Number(values.customers),
      readers: Number(values.readers),
      drainSeconds: 120,
      log,
    })
    console.log(figures)
    return faults
  } finally {
    await fleet.close()
  }
}
