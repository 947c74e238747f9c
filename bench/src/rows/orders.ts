import { ADDRESS } from '@haat/devnet/actors'
import { createProgress } from '@haat/devnet/progress'
import type { Bench } from '../bench.ts'
import type { Request } from '../load/connection.ts'
import type { Script } from '../load/protocol.ts'
import { databaseUrl } from '../seed/database.ts'
import { copyOrders } from '../seed/old-orders.ts'
import { DESTINATION, fillCarts } from './carts.ts'
import { drained } from './drained.ts'
import type { Market, MarketRow } from './row.ts'

const BASKETS = 50
/** What each customer has bought before order rows are measured, on average. */
const ORDERS_EACH = 2
const WARMUP_SECONDS = 45

/** Purchases of two goods of two vendors. */
export async function checkoutScript(market: Market): Promise<Script> {
  const goods = await market.goods()
  const { urls, stripe, stores } = market.devnet
  return {
    kind: 'checkout',
    port: Number(new URL(urls.storefront).port),
    stripePort: stripe.port,
    postgresUrl: databaseUrl(stores.urls.postgres, 'haat_order'),
    browsers: await fillCarts(market, []),
    baskets: Array.from({ length: BASKETS }, (_, at) => [
      { sku: goods[2 * at]!.skus[0]!, qty: 1 },
      { sku: goods[2 * at + 1]!.skus[0]!, qty: 2 },
    ]),
    destination: DESTINATION,
    address: ADDRESS,
  }
}

const checkout: MarketRow = {
  name: 'full checkout',
  target: { of: 'order', atLeast: 0.05, p99Below: 1000 },
  on: 'market',
  async measure(bench, market, row) {
    // A dozen processes take part, and none has ever run this code: until it is compiled, each purchase costs about twice as much.
    const measured = await bench.drive(row.name, await checkoutScript(market), { warmupSeconds: WARMUP_SECONDS })
    if (measured.orderIds.length === 0) return measured
    const rest = await drained(market.devnet.stores.urls.postgres, measured.orderIds)
    return {
      ...measured,
      perSecond: measured.repetitions / (measured.seconds + rest),
      notes: [
        `${measured.repetitions} purchases of 2 lines of 2 vendors, from the first line in the cart to the order being paid`,
        `every effect of them had happened ${rest.toFixed(2)} s after the last was paid, which counts as time`,
      ],
    }
  },
}

/** Enough orders for everybody to have some. */
async function ensureOrders(bench: Bench, market: Market): Promise<void> {
  const browsers = await market.browsers()
  const wanted = browsers.length * ORDERS_EACH
  const { journal, save } = market.store
  if (journal.orders >= wanted) return
  bench.log(`${wanted - journal.orders} purchases, so that there are orders to look at …`)
  await bench.warm(await checkoutScript(market), wanted - journal.orders)
  save({ orders: wanted })
}

/** Puts so many old orders beside those of the customers. */
export async function growOrders(bench: Bench, market: Market, orders: number): Promise<void> {
  await ensureOrders(bench, market)
  const { journal, save } = market.store
  if (journal.oldOrders >= orders) return
  const progress = createProgress()
  await copyOrders(market.devnet.stores.urls.postgres, journal.oldOrders, orders, (done) => {
    save({ oldOrders: done })
    progress.show('orders', done, orders)
  })
  progress.end()
}

const list: MarketRow = {
  name: 'order list',
  target: { of: 'hop', atLeast: 0.3 },
  on: 'market',
  async measure(bench, market, row) {
    await ensureOrders(bench, market)
    const own = (await market.browsers()).map(({ cookie }) => [{ path: '/v1/me/orders', headers: { cookie } }])
    return bench.drive(row.name, { kind: 'browsers', port: market.storefrontPort, own, expect: '"orderNo":' })
  },
}

const page: MarketRow = {
  name: 'order page',
  target: { of: 'hop', atLeast: 0.3 },
  on: 'market',
  async measure(bench, market, row) {
    await ensureOrders(bench, market)
    const own: Request[][] = []
    // One after the other: all at once are more than the shop takes.
    for (const { cookie } of await market.browsers()) {
      const answer = await fetch(`${market.devnet.urls.storefront}/v1/me/orders`, { headers: { cookie } })
      if (!answer.ok) throw new Error(`the orders of a customer: ${answer.status} ${await answer.text()}`)
      const { items } = (await answer.json()) as { items: { orderNo: string }[] }
      own.push(items.map(({ orderNo }) => ({ path: `/v1/orders/${orderNo}`, headers: { cookie } })))
    }
    const script = { kind: 'browsers' as const, port: market.storefrontPort, own, expect: '"degraded":[]' }
    return bench.drive(row.name, script)
  },
}

export const orderRows: MarketRow[] = [checkout, list, page]
