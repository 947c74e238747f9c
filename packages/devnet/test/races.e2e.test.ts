import { ApiError, ok } from '@haat/client'
import { eventually } from '@haat/testkit/eventually'
import { expect, test } from 'vitest'
import { pay, placeOrder, type Shopper } from '../src/actors.ts'
import { bdt, insist, openMarket, prepareOrder, take } from '../src/drills/market.ts'
import { startTestDevnet } from './devnet.ts'

// A slow machine must not look like customers who gave up: what they hold waits for them.
const devnet = await startTestDevnet({ order: { CHECKOUT_RECOVERY_SECONDS: '3600', PAYMENT_TTL_MINUTES: '120' } })
const market = await openMarket(devnet)

// `RACE_UNITS=500 RACE_BUYERS=2000 npm run e2e -- races` is the same at full size.
const UNITS = Number(process.env.RACE_UNITS ?? 60)
const BUYERS = Number(process.env.RACE_BUYERS ?? 200)

/** Works on all of them, `atOnce` at any moment; what it answers is in their order. */
async function crowd<Item, Result>(items: Item[], atOnce: number, work: (item: Item) => Promise<Result>) {
  const results: Result[] = []
  const queue = items.entries()
  const one = async () => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return results
}

type Ready = { buyer: Shopper; body: Awaited<ReturnType<typeof prepareOrder>> }

/** New customers with filled carts, each about to order. */
const arrive = (size: number, fill: (buyer: Shopper) => Promise<unknown>) =>
  crowd(Array.from({ length: size }), 4, async (): Promise<Ready> => {
    const buyer = await market.customer()
    await fill(buyer)
    return { buyer, body: await prepareOrder(buyer) }
  })

/** Everybody orders; answers the orders, or the code of the refusal. */
const rush = (ready: Ready[]) =>
  crowd(ready, 50, async ({ buyer, body }) =>
    insist(buyer, body).catch((error: unknown) => {
      if (error instanceof ApiError) return error.code
      throw error
    }),
  )

const tally = (results: unknown[]) => {
  const counts: Record<string, number> = {}
  for (const result of results) {
    const name = typeof result === 'string' ? result : 'placed'
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

test(`${UNITS} units and ${BUYERS} buyers, 50 of them at any moment: exactly ${UNITS} are sold and paid, and nobody else is charged`, async () => {
  await market.shelve(market.leaf, 'RARE-1', 30_000, UNITS)
  const buyers = await arrive(BUYERS, (buyer) => take(buyer, 'RARE-1'))
  const results = await rush(buyers)
  const placed = results.filter((result) => typeof result !== 'string')
  // Whoever comes when all are gone is told by the cart already.
  const { placed: sold, stock_insufficient = 0, cart_blocked = 0, ...other } = tally(results)
  expect({ sold, refused: stock_insufficient + cart_blocked, other }).toEqual({
    sold: UNITS,
    refused: BUYERS - UNITS,
    other: {},
  })
  expect(await market.available('RARE-1')).toBe(0)
  for (const { payment } of placed) expect((await pay(devnet, payment!)).body).toMatchObject({ status: 'succeeded' })
  // Hundreds of payments at once take longer to be told than one of them may.
  await eventually(() => devnet.settle(), 120_000)

  const intents = devnet.stripe.state().paymentIntents
  expect(intents.filter(({ status }) => status === 'succeeded')).toHaveLength(UNITS)
  const paid = []
  for (let page_token = ''; ; ) {
    const query = { payment_status: 'paid' as const, page_size: 100, page_token }
    const page = await ok(market.admin.GET('/v1/admin/orders', { params: { query } }))
    paid.push(...page.items)
    page_token = page.nextPageToken
    if (!page_token) break
  }
  expect(paid).toHaveLength(UNITS)
  const [level] = (
    await ok(
      market.leaf.vendor.GET('/v1/vendors/{vendorId}/inventory', {
        params: { path: { vendorId: market.leaf.vendorId }, query: {} },
      }),
    )
  ).items
  expect(level).toMatchObject({ sku: 'RARE-1', onHand: 0, reserved: 0 })
  await market.checkBooks()
}, 1_500_000)

test('a coupon with ten uses and 100 buyers, 50 of them at any moment: exactly ten orders carry the discount', async () => {
  await market.shelve(market.cup, 'MUG-1', 50_000, 1_000)
  await ok(
    market.admin.POST('/v1/admin/coupons', {
      body: {
        code: 'FIRST10',
        type: 'fixed',
        amount: bdt(5_000),
        fundedBy: 'platform',
        usageLimit: 10,
        isActive: true,
      },
    }),
  )
  const buyers = await arrive(100, async (buyer) => {
    await take(buyer, 'MUG-1')
    await ok(buyer.shop.POST('/v1/cart/apply-coupon', { body: { code: 'FIRST10' } }))
  })
  const results = await rush(buyers)
  const placed = results.filter((result) => typeof result !== 'string')
  expect(tally(results)).toEqual({ placed: 10, coupon_invalid: 90 })
  for (const { order } of placed)
    expect(order).toMatchObject({ couponCodes: ['FIRST10'], amounts: { discount: bdt(5_000) } })

  // The others buy without it, at the price they now see.
  const late = buyers[results.findIndex((result) => typeof result === 'string')]!.buyer
  await ok(late.shop.DELETE('/v1/cart/coupon', { params: { query: { code: 'FIRST10' } } }))
  const { order } = await placeOrder(late)
  expect(order).toMatchObject({ couponCodes: [], amounts: { discount: bdt(0) } })
  for (const { payment } of placed) await pay(devnet, payment!)
  await devnet.settle()
  const { items } = await ok(market.admin.GET('/v1/admin/coupons', { params: { query: { query: 'FIRST10' } } }))
  expect(items).toMatchObject([{ code: 'FIRST10', heldCount: 0, redeemedCount: 10 }])
  await market.checkBooks()
}, 300_000)

test('one key sent 50 times at once makes one order, one payment and 50 equal answers', async () => {
  await market.shelve(market.cup, 'MUG-2', 50_000, 100)
  const buyer = await market.customer()
  await take(buyer, 'MUG-2', 2)
  const body = await prepareOrder(buyer)
  const intentsBefore = devnet.stripe.state().paymentIntents.length
  const answers = await Promise.all(Array.from({ length: 50 }, () => insist(buyer, body, 'one-and-the-same')))
  expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toHaveLength(1)
  await devnet.settle()
  const { items } = await ok(buyer.shop.GET('/v1/me/orders', { params: { query: {} } }))
  expect(items).toHaveLength(1)
  expect(await market.available('MUG-2')).toBe(98)
  expect(devnet.stripe.state().paymentIntents.length - intentsBefore).toBe(1)
  await market.checkBooks()
}, 120_000)
