import { unavailable } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { OrderCancelled, OrderCreated, OrderPaid } from '@haat/proto/order/v1/events'
import { PaymentStatus } from '@haat/proto/order/v1/order'
import { PaymentSucceeded } from '@haat/proto/payment/v1/events'
import { beforeEach, expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const RECOVERY_MS = 121_000

// What the story before left broken off is finished first: a cut is for the checkout of its own story.
beforeEach(async () => {
  h.world.mend()
  h.clock.aheadMs = RECOVERY_MS
  await h.recover()
  h.clock.aheadMs = 0
})

// Every call of a checkout, lost on the way there or on the way back: what a crash at that point leaves behind.
const cuts = ['reserve', 'hold', 'createIntent'].flatMap((call) =>
  (['before', 'after'] as const).map((when) => ({ call, when })),
)

test.each(cuts)('a checkout cut $when $call holds nothing once the recovery job has run', async ({ call, when }) => {
  const { client, request, person } = await h.shopper()
  h.world.cut(call, when)
  await expect(client.placeOrder(request)).rejects.toMatchObject({ status: 'UNAVAILABLE' })
  const [draft] = await h.ordersOf(person.userId)
  expect((await h.checkoutOf(draft!.id)).state).toBe('open')
  await h.recover()
  expect((await h.checkoutOf(draft!.id)).state).toBe('open')
  h.clock.aheadMs = RECOVERY_MS
  await h.recover()
  expect((await h.checkoutOf(draft!.id)).state).toBe('failed')
  expect(h.world.reservations.get(draft!.id)?.state).not.toBe('held')
  expect(h.world.coupons.get(draft!.id)).not.toBe('held')
  expect(h.world.payments.get(draft!.id)?.status).toBe('voided')
  expect((await client.listMyOrders({})).orders).toEqual([])
  expect(await h.told(OrderCreated, draft!.id)).toEqual([])
  expect(await h.told(OrderCancelled, draft!.id)).toEqual([])
})

test.each(cuts)('a checkout cut $when $call becomes payable when the customer repeats it', async ({ call, when }) => {
  const { client, request, person } = await h.shopper()
  h.world.cut(call, when)
  const lost = await client.placeOrder(request).catch((error) => error)
  expect(lost.code).toBe(call === 'createIntent' ? 'payment_unavailable' : 'service_unavailable')
  // The cart has changed since: the order is the one that was frozen.
  h.world.carts.delete(person.userId)
  const { order, paymentSession } = await client.placeOrder(request)
  const drafts = await h.ordersOf(person.userId)
  expect(drafts.map((row) => row.id)).toEqual([order!.id])
  expect(paymentSession?.clientSecret).toBe('s')
  expect(h.world.reservations.get(order!.id)?.state).toBe('held')
  expect(h.world.payments.get(order!.id)?.status).toBe('open')
  expect(await h.told(OrderCreated, order!.id)).toHaveLength(1)
  h.clock.aheadMs = RECOVERY_MS
  await h.recover()
  expect((await h.checkoutOf(order!.id)).state).toBe('payable')
})

test('another body under the key of a broken-off checkout is refused', async () => {
  const { client, request } = await h.shopper()
  h.world.cut('createIntent')
  await client.placeOrder(request).catch(() => undefined)
  await expect(client.placeOrder({ ...request, email: 'else@example.com' })).rejects.toMatchObject({
    code: 'idempotency_key_reused',
  })
})

test.each(['voidIntent', 'releaseCoupons', 'release'])('an undo cut at %s is finished by the job', async (call) => {
  const { client, request, person } = await h.shopper()
  h.world.cut('createIntent', 'after', unavailable('service_unavailable', 'lost'))
  await client.placeOrder(request).catch(() => undefined)
  const [draft] = await h.ordersOf(person.userId)
  h.clock.aheadMs = RECOVERY_MS
  h.world.cut(call, 'after')
  await h.recover()
  expect((await h.checkoutOf(draft!.id)).state).toBe('releasing')
  h.clock.aheadMs = 2 * RECOVERY_MS
  await h.recover()
  expect((await h.checkoutOf(draft!.id)).state).toBe('failed')
  expect(h.world.reservations.get(draft!.id)?.state).toBe('released')
  expect(h.world.coupons.get(draft!.id)).toBe('released')
})

test('a checkout that was undone while it was slow is told so, and a repeat makes a new order', async () => {
  const { client, request, person } = await h.shopper()
  h.world.cut('createIntent', 'before')
  await client.placeOrder(request).catch(() => undefined)
  const [draft] = await h.ordersOf(person.userId)
  h.world.payments.set(draft!.id, { status: 'voided' })
  await expect(client.placeOrder(request)).rejects.toMatchObject({ status: 'ABORTED', code: 'checkout_released' })
  const { order } = await client.placeOrder(request)
  expect(order!.id).not.toBe(draft!.id)
})

test('an order that cost nothing and was cut off after its payment goes forward, never back', async () => {
  const spec = {
    groups: [
      {
        vendorId: h.seller.vendorId,
        lines: [{ sku: `Z-${newId()}`, qty: 1, price: 500, platformFunded: 500 }],
        delivery: { amount: 0 },
      },
    ],
  }
  const { client, request, person } = await h.shopper(spec)
  h.world.cut('createIntent', 'after')
  await client.placeOrder(request).catch(() => undefined)
  h.clock.aheadMs = RECOVERY_MS
  await h.recover()
  const [order] = await h.ordersOf(person.userId)
  expect(order).toMatchObject({ payment_status: 'paid', status: 'unfulfilled' })
  expect(h.world.reservations.get(order!.id)?.state).toBe('committed')
  expect(await h.told(OrderCreated, order!.id)).toHaveLength(1)
  expect(await h.told(OrderPaid, order!.id)).toHaveLength(1)
})

test.each(['before', 'after'] as const)(
  'a payment whose goods were being made sure when we crashed (%s) is settled by the next delivery',
  async (when) => {
    const { client, order } = await h.placed()
    h.world.pay(order.id)
    h.world.cut('commit', when)
    await h.publish(PaymentSucceeded, h.paidEvent(order))
    expect(h.world.reservations.get(order.id)?.state).toBe('committed')
    expect((await client.getOrder({ orderNo: order.orderNo })).order!.paymentStatus).toBe(PaymentStatus.PAID)
    expect(await h.told(OrderPaid, order.id)).toHaveLength(1)
  },
)

test('a lost payment notification is found when the order’s time is over', async () => {
  const { client, order } = await h.placed()
  h.world.pay(order.id)
  h.clock.aheadMs = 16 * 60_000
  await h.recover()
  h.clock.aheadMs += RECOVERY_MS
  await h.recover()
  expect((await client.getOrder({ orderNo: order.orderNo })).order!.paymentStatus).toBe(PaymentStatus.PAID)
})

test('a checkout that a restart interrupts is undone by the next process', async () => {
  const { client, request, person } = await h.shopper()
  h.world.cut('createIntent')
  await client.placeOrder(request).catch(() => undefined)
  await h.service.restart()
  h.clock.aheadMs = RECOVERY_MS
  await h.recover()
  const [draft] = await h.ordersOf(person.userId)
  expect((await h.checkoutOf(draft!.id)).state).toBe('failed')
  expect(h.world.reservations.get(draft!.id)?.state).toBe('released')
})
