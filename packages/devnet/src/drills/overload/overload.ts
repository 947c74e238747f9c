import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ok } from '@haat/client'
import { ADDRESS, type Shopper } from '../../actors.ts'
import type { Devnet } from '../../devnet.ts'
import { each } from '../../each.ts'
import { roster } from '../../roster.ts'
import { type Market, prepareOrder, take } from '../market.ts'
import type { Kind, Order, Report, Second, Supply } from './plan.ts'

export type OverloadSizes = {
  /** Products on the shelves, customers with a cart, customers with an order to send. */
  products: number
  shoppers: number
  orders: number
  /** Length of each step of the search for what can be borne, of the overload, and of the calm after it. */
  stepSeconds: number
  seconds: number
  afterSeconds: number
  firstPerSecond: number
  log: (line: string) => void
}

export type OverloadFigures = {
  steps: Step[]
  /** The highest rate that was borne: nearly all answered as wished, and quickly. */
  sustainable: number
  /** The most answers as wished in a second, averaged over a step. */
  peak: number
  overload: Step & { kinds: Partial<Record<Kind, number>>; refused: number; refusedP50: number; refusedP99: number }
  recoverySeconds: number
  memory: Record<string, { before: number; most: number; after: number }>
  faults: string[]
}

type Step = { offered: number; goodput: number; p50: number; p95: number; other: Record<string, number> }

/** What counts as borne. */
const GOOD_SHARE = 0.98
const GOOD_P95_MS = 1_000
const GROWTH = 1.3
const FACTOR = 3
const GOODPUT_SHARE = 0.7
const RECOVERS_WITHIN_SECONDS = 10
/** Megabytes that one process may grow by under overload. */
const GROWS_BY = 200

/**
 * Finds what load the marketplace bears, offers three times as much without mercy, then a load it bears again. Under overload
 * it must go on answering nearly as many as it can, refuse the others at once, and stay within bounds; afterwards it must
 * be as before.
 */
export async function overload(
  devnet: Devnet,
  market: Market,
  dataDir: string,
  sizes: OverloadSizes,
): Promise<OverloadFigures> {
  const { log } = sizes
  const requests = await prepare(devnet, market, sizes)
  const generator = fork(fileURLToPath(new URL('generator.ts', import.meta.url)))
  const faults: string[] = []
  try {
    await tell(generator, { supply: { url: devnet.urls.storefront, requests } })
    const offer = async (perSecond: number, seconds: number): Promise<Second[]> => {
      const report = (await tell(generator, { phase: { perSecond, seconds } })) as Report
      return report.seconds
    }
    // Code that has never run is slow.
    await offer(sizes.firstPerSecond, sizes.stepSeconds)

    const steps: Step[] = []
    let sustainable = 0
    for (let rate = sizes.firstPerSecond; ; rate = Math.round(rate * GROWTH)) {
      const step = summary(await offer(rate, sizes.stepSeconds))
      steps.push(step)
      log(lineOf(step))
      const isBorne = step.goodput >= GOOD_SHARE * step.offered && step.p95 < GOOD_P95_MS
      if (isBorne) sustainable = rate
      if (!isBorne && (sustainable > 0 || rate > 1_000)) break
      if (!isBorne) throw new Error(`not even ${rate} requests per second are borne`)
    }
    const peak = Math.max(...steps.map(({ goodput }) => goodput))

    const watch = watchMemory(dataDir)
    const heard = await offer(FACTOR * sustainable, sizes.seconds)
    watch.isOver()
    const step = summary(heard)
    const refusedMs = heard.flatMap((second) => second.refusedMs).sort((a, b) => a - b)
    const kinds: Partial<Record<Kind, number>> = {}
    for (const { good } of heard)
      for (const [kind, n] of Object.entries(good)) kinds[kind as Kind] = (kinds[kind as Kind] ?? 0) + n
    const figures = {
      ...step,
      kinds,
      refused: refusedMs.length,
      refusedP50: at(refusedMs, 0.5),
      refusedP99: at(refusedMs, 0.99),
    }
    log(`${lineOf(step)}; refusals after ${figures.refusedP50} ms, 99 % within ${figures.refusedP99} ms`)
    if (step.goodput < GOODPUT_SHARE * peak)
      faults.push(`goodput fell to ${step.goodput} per second, the peak is ${peak}`)
    const rude = heard.reduce((sum, { withoutRetryAfter }) => sum + withoutRetryAfter, 0)
    if (rude > 0) faults.push(`${rude} refusals did not say when to come back`)
    for (const [name, n] of Object.entries(step.other))
      if (!/^(429|503) /.test(name) && n > 0.01 * step.offered * sizes.seconds) faults.push(`${n} times ${name}`)

    // As much as an ordinary day brings.
    const after = await offer(Math.max(1, Math.round(0.6 * sustainable)), sizes.afterSeconds)
    const isNormal = (second: Second) => {
      const { goodput, offered, p95 } = summary([second])
      return goodput === offered && p95 < GOOD_P95_MS
    }
    const recoverySeconds = after.findLastIndex((second) => !isNormal(second)) + 1
    log(`back to normal after ${recoverySeconds} s`)
    if (recoverySeconds > RECOVERS_WITHIN_SECONDS) faults.push(`not back to normal after ${recoverySeconds} s`)

    const memory = watch.end()
    for (const [name, { before, most }] of Object.entries(memory))
      if (most - before > GROWS_BY) faults.push(`${name} grew from ${before} to ${most} MB`)
    return { steps, sustainable, peak, overload: figures, recoverySeconds, memory, faults }
  } finally {
    generator.kill()
  }
}

/** Everything the generator will send: pages, carts that stay as they are, and orders that can be placed once. */
async function prepare(devnet: Devnet, market: Market, sizes: OverloadSizes): Promise<Supply> {
  const { leaf, cup } = market
  const skus = Array.from({ length: sizes.products }, (_, i) => `LOAD-${i}`)
  const slugs: string[] = []
  await each(skus, 2, async (sku, i) => {
    await market.shelve(i % 2 ? leaf : cup, sku, 10_000 + i, 1_000_000)
  })
  const found = await fetch(`${devnet.urls.storefront}/v1/products?page_size=100`)
  for (const { slug } of ((await found.json()) as { items: { slug: string }[] }).items) slugs.push(slug)
  const fill = async (buyer: Shopper, i: number) => {
    await take(buyer, skus[i % skus.length]!, 1)
    await take(buyer, skus[(i + 1) % skus.length]!, 2)
    return buyer
  }
  const headers = ({ identity }: Shopper) => ({ authorization: `Bearer ${identity.token}` })
  const json = { 'content-type': 'application/json' }
  const supply: Supply = {
    product: slugs.map((slug) => ({ method: 'GET', path: `/v1/products/${slug}`, headers: {} })),
    list: [
      ...['newest', 'price_asc', 'price_desc', 'rating'].map((sort) => `/v1/products?page_size=24&sort=${sort}`),
      ...['Goods', 'LOAD', 'Goods LOAD'].map((q) => `/v1/search?q=${encodeURIComponent(q)}`),
      '/v1/home',
    ].map((path) => ({ method: 'GET', path, headers: {} })),
    cart: [],
    summary: [],
    order: [],
  }
  const destination = { country: ADDRESS.country, postalCode: ADDRESS.postalCode }
  await each(Array.from({ length: sizes.shoppers }), 4, async (_, i) => {
    const buyer = await fill(await market.customer(), i)
    supply.cart.push({ method: 'GET', path: '/v1/cart', headers: headers(buyer) })
    supply.summary.push({
      method: 'POST',
      path: '/v1/checkout/summary',
      headers: { ...headers(buyer), ...json },
      body: JSON.stringify({ destination }),
    })
  })
  await each(Array.from({ length: sizes.orders }), 4, async (_, i) => {
    const buyer = await fill(await market.customer(), i)
    supply.order.push({
      method: 'POST',
      path: '/v1/orders',
      headers: { ...headers(buyer), ...json, 'idempotency-key': randomUUID() },
      body: JSON.stringify(await prepareOrder(buyer)),
    })
  })
  for (const sort of supply.list) await ok(fetchOk(`${devnet.urls.storefront}${sort.path}`))
  sizes.log(`${slugs.length} products, ${sizes.shoppers} carts, ${sizes.orders} orders are ready`)
  return supply
}

const fetchOk = async (url: string) => {
  const response = await fetch(url)
  return { data: await response.text(), response }
}

const tell = (generator: ChildProcess, order: Order): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const gone = (code: number | null) => reject(new Error(`the load generator ended with ${code}`))
    generator.once('exit', gone)
    generator.once('message', (answer) => {
      generator.off('exit', gone)
      resolve(answer)
    })
    generator.send(order)
  })

/** Resident megabytes of every process of the marketplace, looked at every second. */
function watchMemory(dataDir: string) {
  const pids = new Map(
    roster.map(({ name }) => {
      const record = JSON.parse(readFileSync(join(dataDir, 'run', `${name}.json`), 'utf8')) as {
        server: { pid: number }
      }
      return [name, record.server.pid]
    }),
  )
  const read = (pid: number) => {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Math.round(Number(kilobytes) / 1024)
  }
  const memory = Object.fromEntries([...pids].map(([name, pid]) => [name, { before: read(pid), most: 0, after: 0 }]))
  const look = () => {
    for (const [name, pid] of pids) memory[name]!.most = Math.max(memory[name]!.most, read(pid))
  }
  look()
  const timer = setInterval(look, 1_000)
  return {
    isOver() {
      look()
      clearInterval(timer)
    },
    end() {
      for (const [name, pid] of pids) memory[name]!.after = read(pid)
      return memory
    },
  }
}

const at = (sorted: number[], share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)

/** Per second. */
function summary(seconds: Second[]): Step {
  const sum = (of: (second: Second) => number) => seconds.reduce((total, second) => total + of(second), 0)
  const perSecond = (n: number) => Math.round((10 * n) / seconds.length) / 10
  const ms = seconds.flatMap(({ goodMs }) => goodMs).sort((a, b) => a - b)
  const other: Record<string, number> = {}
  for (const second of seconds)
    for (const [name, n] of Object.entries(second.other)) other[name] = (other[name] ?? 0) + n
  return {
    offered: perSecond(sum(({ offered }) => offered)),
    goodput: perSecond(sum(({ good }) => Object.values(good).reduce((total, n) => total + n, 0))),
    p50: at(ms, 0.5),
    p95: at(ms, 0.95),
    other,
  }
}

const lineOf = ({ offered, goodput, p50, p95, other }: Step): string =>
  `${offered}/s offered, ${goodput}/s answered as wished, half within ${p50} ms, 95 % within ${p95} ms, others ${JSON.stringify(other)}`
