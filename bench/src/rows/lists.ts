import { leaves, slugOf } from '@haat/devnet/seed/taxonomy'
import type { Request } from '../load/connection.ts'
import type { MarketRow } from './row.ts'

const HOT_QUERIES = 50
const SORTS = ['price_asc', 'price_desc', 'newest', 'rating'] as const

/** A category with a price range and an order; `at` makes the range one that nobody has asked for. */
const query = (at: number): Request => {
  const leaf = leaves[at % leaves.length]!
  const least = leaf.taka[0] * 100 + (Math.floor(at / leaves.length) % 10_000)
  const params = new URLSearchParams({
    category: slugOf(leaf.name),
    currency: 'BDT',
    min_price: String(least),
    max_price: String(leaf.taka[1] * 100),
    sort: SORTS[at % SORTS.length]!,
  })
  return { path: `/v1/products?${params}` }
}

const hot: MarketRow = {
  name: 'product list with filter and sort, hot',
  target: { of: 'hono', atLeast: 0.5 },
  on: 'market',
  async measure(bench, market, row) {
    const requests = Array.from({ length: HOT_QUERIES }, (_, at) => query(at))
    const script = { kind: 'requests' as const, port: market.storefrontPort, requests, expect: '"slug":' }
    await bench.warm({ ...script, once: true })
    const measured = await bench.drive(row.name, script)
    const answer = await fetch(`http://127.0.0.1:${market.storefrontPort}${requests[0]!.path}`)
    const kilobytes = Math.round((await answer.arrayBuffer()).byteLength / 1000)
    return { ...measured, notes: [`${HOT_QUERIES} queries, in turn; an answer has ${kilobytes} kB`] }
  },
}

const cold: MarketRow = {
  name: 'product list with filter and sort, cold',
  target: { perSecond: 500 },
  on: 'market',
  async measure(bench, market, row) {
    const from = HOT_QUERIES + (Date.now() % 100_000)
    const requests = Array.from({ length: 50_000 }, (_, at) => query(from + at))
    const script = { kind: 'requests' as const, port: market.storefrontPort, requests, expect: '"slug":', once: true }
    return { ...(await bench.drive(row.name, script)), notes: ['each query once'] }
  },
}

export const listRows: MarketRow[] = [hot, cold]
