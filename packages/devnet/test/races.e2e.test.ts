import { ApiError, ok } from '@haat/client'
import { expect, test } from 'vitest'
import { pay, placeOrder, type Shopper } from '../src/actors.ts'
import { startTestDevnet } from './devnet.ts'
import { bdt, insist, openMarket, prepareOrder, take } from './market.ts'

const devnet = await startTestDevnet()
const market = await openMarket(devnet)

/** New customers with filled carts, each about to order. */
async function crowd(size: number, fill: (buyer: Shopper) => Promise<unknown>) {
  const ready: { buyer: Shopper; body: Awaited<ReturnType<typeof prepareOrder>> }[] = []
  while (ready.length < size)
    ready.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(10, size - ready.length) }, async () => {
          const buyer = await market.customer()
          await fill(buyer)
          return { buyer, body: await prepareOrder(buyer) }
        }),
      )),
    )
  return ready
}

/** Answers in order; refusals by their code, anything else fails the test. */
const outcomes = <T>(attempts: Promise<T>[]): Promise<(T | string)[]> =>
  Promise.all(
    attempts.map((attempt) =>
      attempt.catch((error: unknown) => {
        if (error instanceof ApiError) return error.code
        throw error
      }),
    ),
  )

test('60 units and 200 buyers at once: exactly 60 are sold and paid, and nobody else is charged', async () => {
  await market.shelve(market.leaf, 'RARE-1', 30_000, 60)
  const buyers = await crowd(200, (buyer) => take(buyer, 'RARE-1'))
  const results = await outcomes(buyers.map(({ buyer, body }) => insist(buyer, body)))
  const placed = results.filter((result) => typeof result !== 'string')
  expect(placed).toHaveLength(60)
  expect(new Set(results.filter((result) => typeof result === 'string'))).toEqual(new Set(['stock_insufficient']))
  expect(await market.available('RARE-1')).toBe(0)
  for (const { payment } of placed) expect((await pay(devnet, payment!)).body).toMatchObject({ status: 'succeeded' })
  await devnet.settle()

  const intents = devnet.stripe.state().paymentIntents
  expect(intents.filter(({ status }) => status === 'succeeded')).toHaveLength(60)
  const { items } = await ok(
    market.admin.GET('/v1/admin/orders', { params: { query: { payment_status: 'paid', page_size: 100 } } }),
  )
  expect(items).toHaveLength(60)
  const [level] = (
    await ok(
      market.leaf.vendor.GET('/v1/vendors/{vendorId}/inventory', {
        params: { path: { vendorId: market.leaf.vendorId }, query: {} },
      }),
    )
  ).items
  expect(level).toMatchObject({ sku: 'RARE-1', onHand: 0, reserved: 0 })
  await market.checkBooks()
}, 180_000)

test('a coupon with ten uses and 100 buyers at once: exactly ten orders carry the discount', async () => {
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
  const buyers = await crowd(100, async (buyer) => {
    await take(buyer, 'MUG-1')
    await ok(buyer.shop.POST('/v1/cart/apply-coupon', { body: { code: 'FIRST10' } }))
  })
  const results = await outcomes(buyers.map(({ buyer, body }) => insist(buyer, body)))
  const placed = results.filter((result) => typeof result !== 'string')
  expect(placed).toHaveLength(10)
  expect(new Set(results.filter((result) => typeof result === 'string'))).toEqual(new Set(['coupon_invalid']))
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
}, 120_000)

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
}, 60_000)
