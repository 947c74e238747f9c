import { randomUUID } from 'node:crypto'
import { ok } from '@haat/client'
import { expect, test } from 'vitest'
import { pay, placeOrder, type Seller, type Shopper } from '../src/actors.ts'
import { bdt, insist, openMarket, prepareOrder, take } from '../src/drills/market.ts'
import { roster } from '../src/roster.ts'
import { startTestDevnet } from './devnet.ts'

// One clock for all whose leases must end together; the stories turn it forward instead of waiting.
let aheadMs = 0
const now = () => new Date(Date.now() + aheadMs)
const LEASE_MS = 16 * 60_000

const devnet = await startTestDevnet({}, { order: { now }, inventory: { now }, promotion: { now } })
const market = await openMarket(devnet)
const { admin, leaf, cup } = market
const run = (service: string, job: string) => devnet.services.get(service)!.runJob(job)

await market.shelve(leaf, 'TEA', 33_333, 1_000)
await market.shelve(cup, 'MUG', 45_050, 1_000)

const buy = async (lines: Record<string, number>, coupon?: string) => {
  const buyer = await market.customer()
  for (const [sku, qty] of Object.entries(lines)) await take(buyer, sku, qty)
  if (coupon) await ok(buyer.shop.POST('/v1/cart/apply-coupon', { body: { code: coupon } }))
  const { order, payment } = await placeOrder(buyer)
  return { buyer, orderNo: order.orderNo, order, payment: payment! }
}
const pageOf = (buyer: Shopper, orderNo: string) =>
  ok(buyer.shop.GET('/v1/orders/{orderNo}', { params: { path: { orderNo } } }))
const orderOf = async (buyer: Shopper, orderNo: string) => (await pageOf(buyer, orderNo)).order

/** What the provider took for an order and gave back of it. */
const atProvider = (intentId: string) => {
  const { charges, refunds } = devnet.stripe.state()
  const taken = charges.filter((charge) => charge.payment_intent === intentId && charge.paid)
  const ids = new Set(taken.map(({ id }) => id))
  const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0)
  return {
    charged: sum(taken.map(({ amount }) => amount)),
    refunded: sum(
      refunds
        .filter(({ charge, status }) => ids.has(charge as string) && status === 'succeeded')
        .map(({ amount }) => amount),
    ),
  }
}
const coupon = async (code: string, usageLimit = 5) => {
  await ok(
    admin.POST('/v1/admin/coupons', {
      body: { code, type: 'percent', percentBps: 1000, fundedBy: 'platform', usageLimit, isActive: true },
    }),
  )
  return {
    code,
    async used() {
      const { items } = await ok(admin.GET('/v1/admin/coupons', { params: { query: { query: code } } }))
      const { heldCount, redeemedCount } = items[0]! as never as { heldCount: number; redeemedCount: number }
      return { held: heldCount, redeemed: redeemedCount }
    },
  }
}
/** What a vendor earned with an order, all rows together. */
const earned = async (own: Seller, orderId: string) => {
  const { items } = await ok(
    own.vendor.GET('/v1/vendors/{vendorId}/earnings', {
      params: { path: { vendorId: own.vendorId }, query: { orderId, page_size: 100 } },
    }),
  )
  return items.reduce((sum, { net }) => sum + net!.minor, 0)
}
const partOf = async (own: Seller, orderNo: string) => {
  const { items } = await ok(
    own.vendor.GET('/v1/vendors/{vendorId}/orders', {
      params: { path: { vendorId: own.vendorId }, query: { q: orderNo } },
    }),
  )
  expect(items).toHaveLength(1)
  return items[0]!
}

test('a declined card costs nothing: the goods stay held, the order stays payable and is paid with another card', async () => {
  const before = await market.available('TEA')
  const { buyer, orderNo, payment } = await buy({ TEA: 2 })
  expect((await pay(devnet, payment, 'decline')).body).toMatchObject({ status: 'requires_payment_method' })
  await devnet.settle()
  expect(await orderOf(buyer, orderNo)).toMatchObject({ paymentStatus: 'pending', status: 'unfulfilled' })
  expect(await market.available('TEA')).toBe(before - 2)

  const again = await ok(buyer.shop.POST('/v1/payments/intent', { body: { orderNo } }))
  expect(again.payment.intentId).toBe(payment.intentId)
  expect((await pay(devnet, again.payment)).body).toMatchObject({ status: 'succeeded' })
  await devnet.settle()
  const page = await pageOf(buyer, orderNo)
  expect(page.order).toMatchObject({ paymentStatus: 'paid' })
  expect(page.timeline.map(({ event }) => event)).toEqual(expect.arrayContaining(['payment_failed', 'paid']))
  expect(await market.available('TEA')).toBe(before - 2)
  await market.checkBooks()
})

test('an unpaid order ends with its time: goods and coupon go back, and nobody can pay it any more', async () => {
  const before = await market.available('TEA')
  const { code, used } = await coupon('SLOW')
  const { buyer, orderNo, payment } = await buy({ TEA: 3, MUG: 1 }, code)
  expect(await market.available('TEA')).toBe(before - 3)
  expect(await used()).toEqual({ held: 1, redeemed: 0 })

  aheadMs += LEASE_MS
  await run('order', 'recover-checkouts')
  await devnet.settle()
  expect(await orderOf(buyer, orderNo)).toMatchObject({ status: 'cancelled', cancelReason: 'payment_expired' })
  expect(await market.available('TEA')).toBe(before)
  expect(await used()).toEqual({ held: 0, redeemed: 0 })
  expect((await pay(devnet, payment)).body).toMatchObject({ status: 'canceled' })
  await devnet.settle()
  expect(atProvider(payment.intentId)).toEqual({ charged: 0, refunded: 0 })
  await expect(ok(buyer.shop.POST('/v1/payments/intent', { body: { orderNo } }))).rejects.toMatchObject({ status: 422 })
  await market.checkBooks()
})

test('a payment told after the lease ended takes the goods again', async () => {
  await market.shelve(leaf, 'LATE-1', 20_000, 2)
  const { buyer, orderNo, payment } = await buy({ 'LATE-1': 2 })
  devnet.stripe.faults.pauseWebhooks()
  await pay(devnet, payment)
  aheadMs += LEASE_MS
  await run('inventory', 'expire-reservations')
  devnet.stripe.faults.resumeWebhooks()
  await devnet.settle()
  expect(await orderOf(buyer, orderNo)).toMatchObject({ paymentStatus: 'paid', status: 'unfulfilled' })
  expect(await market.available('LATE-1')).toBe(0)
  await market.checkBooks()
})

test('a late payment for goods that somebody else bought meanwhile goes back in full, by itself', async () => {
  await market.shelve(leaf, 'LATE-2', 20_000, 2)
  const { buyer, orderNo, order, payment } = await buy({ 'LATE-2': 2 })
  // Our question whether it was paid gets no answer, so that the lease ends without our knowing.
  devnet.stripe.faults.pauseWebhooks()
  await pay(devnet, payment)
  const silence = devnet.stripe.faults.api({
    kind: 'unavailable',
    path: `/v1/payment_intents/${payment.intentId}*`,
    times: 1_000,
  })
  aheadMs += LEASE_MS
  await run('inventory', 'expire-reservations')
  await devnet.settle()
  const faster = await buy({ 'LATE-2': 1 })
  silence.release()
  devnet.stripe.faults.resumeWebhooks()
  await devnet.settle()

  expect(await orderOf(buyer, orderNo)).toMatchObject({ status: 'cancelled', cancelReason: 'out_of_stock' })
  const total = order.amounts!.total!.minor
  expect(atProvider(payment.intentId)).toEqual({ charged: total, refunded: total })
  expect(await earned(leaf, order.id)).toBe(0)
  await pay(devnet, faster.payment)
  await devnet.settle()
  expect(await orderOf(faster.buyer, faster.orderNo)).toMatchObject({ paymentStatus: 'paid' })
  expect(await market.available('LATE-2')).toBe(1)
  await market.checkBooks()
})

test('cancelling a paid order gives everything back: money, goods, coupon, earnings', async () => {
  const before = { TEA: await market.available('TEA'), MUG: await market.available('MUG') }
  const { code, used } = await coupon('REGRET')
  const { buyer, orderNo, order, payment } = await buy({ TEA: 3, MUG: 2 }, code)
  await pay(devnet, payment)
  await devnet.settle()
  expect(await used()).toEqual({ held: 0, redeemed: 1 })
  expect(await earned(leaf, order.id)).toBeGreaterThan(0)
  await market.checkBooks()

  await ok(
    buyer.shop.POST('/v1/orders/{orderNo}/cancel', {
      params: { path: { orderNo } },
      body: { reason: 'customer_request', note: 'changed my mind' },
    }),
  )
  await devnet.settle()
  const total = order.amounts!.total!.minor
  expect(await orderOf(buyer, orderNo)).toMatchObject({
    status: 'cancelled',
    paymentStatus: 'refunded',
    amounts: { refunded: bdt(total) },
  })
  expect(atProvider(payment.intentId)).toEqual({ charged: total, refunded: total })
  expect({ TEA: await market.available('TEA'), MUG: await market.available('MUG') }).toEqual(before)
  expect(await used()).toEqual({ held: 0, redeemed: 0 })
  expect([await earned(leaf, order.id), await earned(cup, order.id)]).toEqual([0, 0])
  await market.checkBooks()
})

test('a vendor that cannot deliver cancels its part: only that part is refunded, the other goes on', async () => {
  const before = { TEA: await market.available('TEA'), MUG: await market.available('MUG') }
  const { buyer, orderNo, order, payment } = await buy({ TEA: 1, MUG: 2 })
  await pay(devnet, payment)
  await devnet.settle()
  const part = await partOf(cup, orderNo)
  const path = { vendorId: cup.vendorId, id: part.id }
  await ok(
    cup.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/cancel', {
      params: { path },
      body: { reason: 'out_of_stock', note: '' },
    }),
  )
  await devnet.settle()
  const partTotal = part.amounts!.total!.minor
  const found = await orderOf(buyer, orderNo)
  expect(found).toMatchObject({
    paymentStatus: 'partial',
    status: 'unfulfilled',
    amounts: { refunded: bdt(partTotal) },
  })
  expect(found.vendorOrders.map(({ vendorId, status }) => [vendorId, status]).sort()).toEqual(
    [
      [leaf.vendorId, 'pending'],
      [cup.vendorId, 'cancelled'],
    ].sort(),
  )
  expect(atProvider(payment.intentId)).toEqual({ charged: order.amounts!.total!.minor, refunded: partTotal })
  expect(await market.available('MUG')).toBe(before.MUG)
  expect(await market.available('TEA')).toBe(before.TEA - 1)
  expect(await earned(cup, order.id)).toBe(0)
  expect(await earned(leaf, order.id)).toBeGreaterThan(0)
  await market.checkBooks()
})

test('line by line the refunds sum to the order, to the minor unit, whatever does not divide', async () => {
  const before = await market.available('TEA')
  const { code } = await coupon('ODD')
  const { buyer, orderNo, order, payment } = await buy({ TEA: 7 }, code)
  await pay(devnet, payment)
  await devnet.settle()
  const part = await partOf(leaf, orderNo)
  const line = part.items[0]!
  const path = { vendorId: leaf.vendorId, id: part.id }
  const full = await earned(leaf, order.id)
  const refund = async (qty: number, includeShipping = false) => {
    const answer = await ok(
      leaf.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/refunds', {
        params: { path, header: { 'Idempotency-Key': randomUUID() } },
        body: { lines: [{ orderItemId: line.id, qty }], reason: 'damaged', includeShipping, restock: qty === 2 },
      }),
    )
    await devnet.settle()
    await market.checkBooks()
    return answer.refund.amount!.minor
  }
  const lineTotal = line.total!.minor
  const first = await refund(2)
  expect(Math.abs(first - (lineTotal * 2) / 7)).toBeLessThan(1)
  expect(await orderOf(buyer, orderNo)).toMatchObject({ paymentStatus: 'partial', amounts: { refunded: bdt(first) } })
  expect(atProvider(payment.intentId).refunded).toBe(first)
  expect(await market.available('TEA')).toBe(before - 5)
  expect(Math.abs((await earned(leaf, order.id)) - full)).toBeGreaterThan(0)

  const second = await refund(3)
  expect(Math.abs(second - (lineTotal * 3) / 7)).toBeLessThan(1.5)
  const third = await refund(2, true)
  expect(first + second + third).toBe(order.amounts!.total!.minor)
  expect(await orderOf(buyer, orderNo)).toMatchObject({ paymentStatus: 'refunded' })
  expect(atProvider(payment.intentId)).toEqual({
    charged: order.amounts!.total!.minor,
    refunded: order.amounts!.total!.minor,
  })
  expect(await earned(leaf, order.id)).toBe(0)
  await expect(refund(1)).rejects.toMatchObject({ status: 422 })
})

test.for(['lost', 'doubled', 'reordered', 'delayed', 'false'] as const)(
  'a payment whose notices are %s ends like any other: paid once',
  async (fault) => {
    const before = await market.available('MUG')
    const { buyer, orderNo, order, payment } = await buy({ MUG: 1 })
    const { faults } = devnet.stripe
    if (fault === 'lost') faults.webhooks({ kind: 'lose', count: 20 })
    if (fault === 'doubled') faults.webhooks({ kind: 'double', count: 20 })
    if (fault === 'reordered') faults.webhooks({ kind: 'reorder', count: 2, type: 'payment_intent.*' })
    if (fault === 'delayed') faults.webhooks({ kind: 'delay', delayMs: 300, count: 20 })
    if (fault === 'false') faults.webhooks({ kind: 'wrong-amount', deltaMinor: 1_000_000, count: 20 })
    await pay(devnet, payment, 'decline')
    await pay(devnet, payment)
    await devnet.settle()
    faults.clear()
    if (fault === 'lost') {
      expect(await orderOf(buyer, orderNo)).toMatchObject({ paymentStatus: 'pending' })
      await run('payment', 'fetch-missed-notices')
      await devnet.settle()
    }
    const page = await pageOf(buyer, orderNo)
    expect(page.order).toMatchObject({ paymentStatus: 'paid', amounts: { refunded: bdt(0) } })
    expect(page.timeline.filter(({ event }) => event === 'paid')).toHaveLength(1)
    expect(atProvider(payment.intentId)).toEqual({ charged: order.amounts!.total!.minor, refunded: 0 })
    expect(await market.available('MUG')).toBe(before - 1)
    await market.checkBooks()
  },
)

test('payment and order restart between the payment and its notice: the order is paid all the same', async () => {
  const { buyer, orderNo, payment } = await buy({ TEA: 1, MUG: 1 })
  devnet.stripe.faults.pauseWebhooks()
  await pay(devnet, payment)
  await Promise.all(['payment', 'order', 'inventory'].map((name) => devnet.restart(name)))
  devnet.stripe.faults.resumeWebhooks()
  await devnet.settle()
  expect(await orderOf(buyer, orderNo)).toMatchObject({ paymentStatus: 'paid' })
  await market.checkBooks()
})

test('while every service restarts in turn, ten customers order and pay: each order is paid, once', async () => {
  await market.shelve(cup, 'ROLLING', 10_000, 10)
  const buyers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const buyer = await market.customer()
      await take(buyer, 'ROLLING')
      return { buyer, body: await prepareOrder(buyer) }
    }),
  )
  const restarts = (async () => {
    for (const { name, kind } of roster) if (kind === 'service') await devnet.restart(name)
  })()
  for (const { buyer, body } of buyers) {
    const { payment } = await insist(buyer, body)
    expect((await pay(devnet, payment!)).body).toMatchObject({ status: 'succeeded' })
  }
  await restarts
  await devnet.settle()
  for (const { buyer } of buyers) {
    const { items } = await ok(buyer.shop.GET('/v1/me/orders', { params: { query: {} } }))
    expect(items).toMatchObject([{ paymentStatus: 'paid' }])
  }
  expect(await market.available('ROLLING')).toBe(0)
  await market.checkBooks()
}, 90_000)
