import type { Browser } from '../load/protocol.ts'
import { writes } from '../load/stories.ts'
import type { Goods } from '../seed/goods.ts'
import type { Market, MarketRow } from './row.ts'

export const DESTINATION = { country: 'BD', postalCode: '1205' }
/** As many different goods as a cart row puts in; their quantities grow. */
const ADDED = 20

const ask = async (market: Market, browser: Browser, method: string, path: string, body?: object): Promise<unknown> => {
  const answer = await fetch(`${market.devnet.urls.storefront}${path}`, {
    method,
    headers: { ...writes(browser), ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

/** Empties every cart and puts the same goods into each. */
export async function fillCarts(market: Market, goods: readonly Goods[]): Promise<Browser[]> {
  const browsers = await market.browsers()
  for (const browser of browsers) {
    await ask(market, browser, 'DELETE', '/v1/cart')
    for (const { skus } of goods) await ask(market, browser, 'POST', '/v1/cart/items', { sku: skus[0], qty: 1 })
  }
  return browsers
}

/** Four goods of three vendors: neighbours in the list are of different vendors, the fourth is the first one's again. */
export async function basket(market: Market, index = 0): Promise<Goods[]> {
  const goods = await market.goods()
  const first = goods[index]!
  const again = goods.find((one, at) => at > index && one.vendorId === first.vendorId)!
  return [first, goods[index + 1]!, goods[index + 2]!, again]
}

const read: MarketRow = {
  name: 'cart read',
  target: { of: 'hop', atLeast: 0.6 },
  on: 'market',
  async measure(bench, market, row) {
    const browsers = await fillCarts(market, await basket(market))
    const own = browsers.map(({ cookie }) => [{ path: '/v1/cart', headers: { cookie } }])
    const script = { kind: 'browsers' as const, port: market.storefrontPort, own, expect: '"sku":"BENCH-' }
    return { ...(await bench.drive(row.name, script)), notes: ['4 lines, signed in by cookie'] }
  },
}

const add: MarketRow = {
  name: 'add to cart',
  target: { of: 'hop', atLeast: 0.25 },
  on: 'market',
  async measure(bench, market, row) {
    const browsers = await fillCarts(market, [])
    const goods = (await market.goods()).slice(0, ADDED)
    const own = browsers.map((browser) =>
      goods.map(({ skus }) => ({
        method: 'POST',
        path: '/v1/cart/items',
        headers: writes(browser),
        body: { sku: skus[0], qty: 1 },
      })),
    )
    const script = { kind: 'browsers' as const, port: market.storefrontPort, own, expect: '"sku":"BENCH-' }
    const measured = await bench.drive(row.name, script)
    await fillCarts(market, [])
    return { ...measured, notes: [`carts of up to ${ADDED} lines, signed in by cookie`] }
  },
}

const summary: MarketRow = {
  name: 'checkout summary, 4 lines of 3 vendors',
  target: { of: 'hop', atLeast: 0.1 },
  on: 'market',
  async measure(bench, market, row) {
    const browsers = await fillCarts(market, await basket(market))
    const own = browsers.map((browser) => [
      {
        method: 'POST',
        path: '/v1/checkout/summary',
        headers: writes(browser),
        body: { destination: DESTINATION },
      },
    ])
    return bench.drive(row.name, { kind: 'browsers', port: market.storefrontPort, own, expect: '"revision":"' })
  },
}

export const cartRows: MarketRow[] = [read, add, summary]
