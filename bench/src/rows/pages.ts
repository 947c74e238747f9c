import { setTimeout as pause } from 'node:timers/promises'
import { ok } from '@haat/client'
import { type Bench, WARMUP_SECONDS } from '../bench.ts'
import type { Market, MarketRow } from './row.ts'

/** What many look at in the same seconds: few pages, however large the catalogue is. */
const HOT_PAGES = 100
/** These rows come first, when nothing that takes part has been compiled yet. */
const HOT_WARMUP_SECONDS = 20
const CHANGED_PER_MINUTE = 0.1
/** A page that lacks a part is quicker than a whole one, and does not count. */
const WHOLE = '"degraded":[]'

const hotPaths = async (market: Market) => {
  const goods = await market.goods()
  return goods.slice(0, HOT_PAGES).map(({ slug }) => ({ path: `/v1/products/${slug}` }))
}

async function driveHot(bench: Bench, market: Market, row: MarketRow) {
  const requests = await hotPaths(market)
  const script = { kind: 'requests' as const, port: market.storefrontPort, requests, expect: WHOLE }
  await bench.warm({ ...script, once: true })
  const measured = await bench.drive(row.name, script, { warmupSeconds: HOT_WARMUP_SECONDS })
  return { ...measured, notes: [`${requests.length} pages, in turn`] }
}

const hot: MarketRow = {
  name: 'product page, hot',
  target: { of: 'hono', atLeast: 0.5 },
  on: 'market',
  measure: driveHot,
}

const changing: MarketRow = {
  name: 'product page, hot, a tenth of all products changing per minute',
  target: { of: 'hono', atLeast: 0.35 },
  on: 'market',
  async measure(bench, market, row) {
    const changes = keepChanging(market)
    try {
      const measured = await driveHot(bench, market, row)
      return { ...measured, notes: [...measured.notes, `${changes.made} prices and stocks changed meanwhile`] }
    } finally {
      await changes.stop()
    }
  },
}

const cold: MarketRow = {
  name: 'product page, cold',
  target: { of: 'hop', atLeast: 0.4 },
  on: 'market',
  async measure(bench, market, row) {
    const goods = await market.goods()
    const never = goods.slice(HOT_PAGES)
    // Goes on where the last run stopped, so that neither this run nor a store's cache has seen them.
    const from = market.store.journal.cold % never.length
    const requests = [...never.slice(from), ...never.slice(0, from)].map(({ slug }) => ({
      path: `/v1/products/${slug}`,
    }))
    const script = {
      kind: 'requests' as const,
      port: market.storefrontPort,
      requests,
      expect: WHOLE,
      once: true,
    }
    // A small catalogue must not be over before the measuring begins.
    const warmupSeconds = Math.min(WARMUP_SECONDS, never.length / 1000)
    const measured = await bench.drive(row.name, script, { warmupSeconds })
    market.store.save({ cold: from + measured.position })
    const all = measured.position >= requests.length ? ', all there are' : ''
    return { ...measured, notes: [`each page once, ${measured.repetitions} measured${all}`] }
  },
}

export const pageRows: MarketRow[] = [hot, changing, cold]

/** Changes prices and stocks in turn, evenly, at a tenth of the catalogue per minute. */
function keepChanging(market: Market) {
  let going = true
  let made = 0
  const running = (async () => {
    const goods = await market.goods()
    const everyMs = 60_000 / (goods.length * CHANGED_PER_MINUTE)
    const sellerOf = new Map(market.sellers.map((seller) => [seller.vendorId, seller]))
    const began = performance.now()
    for (let index = 0; going; index++) {
      // A stride that is prime to the number of products meets all of them.
      const product = goods[(index * 7919) % goods.length]!
      const { vendor } = sellerOf.get(product.vendorId)!
      const path = { vendorId: product.vendorId }
      if (index % 2)
        await ok(
          vendor.PATCH('/v1/vendors/{vendorId}/inventory/{sku}', {
            params: { path: { ...path, sku: product.skus[0]! } },
            body: { productId: product.id, onHand: 1_000_000 + index },
          }),
        )
      else
        await ok(
          vendor.PUT('/v1/vendors/{vendorId}/variants/{sku}/price', {
            params: { path: { ...path, sku: product.skus[0]! } },
            body: { price: { currency: 'BDT', minor: 10_000 + ((index * 100) % 90_000) } },
          }),
        )
      made++
      await pause(Math.max(0, began + (index + 1) * everyMs - performance.now()))
    }
  })()
  return {
    get made() {
      return made
    },
    async stop() {
      going = false
      await running
    },
  }
}
