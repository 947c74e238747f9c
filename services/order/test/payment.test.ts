import { newId } from '@haat/kit/id'
import { InventoryReleased } from '@haat/proto/inventory/v1/events'
import { ReleaseReason } from '@haat/proto/inventory/v1/inventory'
import { OrderCancelled, OrderPaid, OrderRefunded, VendorOrderCancelled } from '@haat/proto/order/v1/events'
import { CancelReason, OrderStatus, PaymentStatus, VendorOrderStatus } from '@haat/proto/order/v1/order'
import { PaymentFailed, PaymentRefunded, PaymentSucceeded } from '@haat/proto/payment/v1/events'
import { beforeEach, expect, test } from 'vitest'
import { taka } from './cart.ts'
import { startHarness } from './harness.ts'
import { refused } from './neighbours.ts'

const h = await startHarness()
const LATER_MS = 16 * 60_000

beforeEach(() => {
  h.clock.aheadMs = 0
  h.world.mend()
})

const read = async (buyer: Awaited<ReturnType<typeof h.placed>>) =>
  (await buyer.client.getOrder({ orderNo: buyer.order.orderNo })).order!

test('a payment makes the goods sure, then the order paid, and tells the whole breakdown', async () => {
  const buyer = await h.placed()
  h.world.pay(buyer.order.id)
  await h.publish(PaymentSucceeded, h.paidEvent(buyer.order))
  const order = await read(buyer)
  expect(order).toMatchObject({ status: OrderStatus.UNFULFILLED, paymentStatus: PaymentStatus.PAID })
  expect(order.paidAt).toBeInstanceOf(Date)
  expect(order.vendorOrders.map((part) => part.status)).toEqual([VendorOrderStatus.PENDING, VendorOrderStatus.PENDING])
  expect(order.vendorOrders[0]!.acceptBy).toBeInstanceOf(Date)
  expect(h.world.reservations.get(order.id)?.state).toBe('committed')
  const [event] = await h.told(OrderPaid, order.id)
  expect(event).toMatchObject({ customerName: 'Rahima Khatun', intentId: `pi_${order.id}`, couponCodes: ['EID'] })
  expect(event!.vendorOrders.reduce((sum, part) => sum + part.total!.minor, 0n)).toBe(order.amounts!.total!.minor)
})

test('a payment that is told many times pays once', async () => {
  const buyer = await h.placed()
  h.world.pay(buyer.order.id)
  await Promise.all([1, 2, 3].map(() => h.publish(PaymentSucceeded, h.paidEvent(buyer.order))))
  expect(await h.told(OrderPaid, buyer.order.id)).toHaveLength(1)
})

test('a payment of another amount changes nothing and waits for a person', async () => {
  const buyer = await h.placed()
  await h.publish(PaymentSucceeded, { ...h.paidEvent(buyer.order), amount: taka(1) })
  expect((await read(buyer)).paymentStatus).toBe(PaymentStatus.PENDING)
})

test('a declined card leaves the order payable and shows in its timeline once', async () => {
  const buyer = await h.placed()
  const event = h.failedEvent(buyer.order, 'card_declined', false)
  await h.publish(PaymentFailed, event)
  await h.publish(PaymentFailed, event)
  expect(await read(buyer)).toMatchObject({ status: OrderStatus.UNFULFILLED, paymentStatus: PaymentStatus.PENDING })
  const { entries } = await buyer.client.getTimeline({ orderNo: buyer.order.orderNo })
  expect(entries.map((entry) => entry.event)).toEqual(['placed', 'payment_failed'])
  h.world.pay(buyer.order.id)
  await h.publish(PaymentSucceeded, h.paidEvent(buyer.order))
  expect((await read(buyer)).paymentStatus).toBe(PaymentStatus.PAID)
})

test('a payment that failed for good cancels the order', async () => {
  const buyer = await h.placed()
  await h.publish(PaymentFailed, h.failedEvent(buyer.order, 'provider_error', true))
  expect(await read(buyer)).toMatchObject({
    status: OrderStatus.CANCELLED,
    paymentStatus: PaymentStatus.FAILED,
    cancelReason: CancelReason.PAYMENT_FAILED,
  })
  const [event] = await h.told(OrderCancelled, buyer.order.id)
  expect(event).toMatchObject({ reason: CancelReason.PAYMENT_FAILED, wasPaid: false, lines: [] })
  expect(await h.told(VendorOrderCancelled, buyer.order.id)).toHaveLength(2)
})

test('an unpaid order ends when its time is over, and its payment is closed first', async () => {
  const buyer = await h.placed()
  await h.recover()
  expect((await read(buyer)).status).toBe(OrderStatus.UNFULFILLED)
  h.clock.aheadMs = LATER_MS
  await h.recover()
  expect(await read(buyer)).toMatchObject({
    status: OrderStatus.CANCELLED,
    paymentStatus: PaymentStatus.FAILED,
    cancelReason: CancelReason.PAYMENT_EXPIRED,
  })
  expect(h.world.payments.get(buyer.order.id)?.status).toBe('voided')
  expect(await h.told(OrderCancelled, buyer.order.id)).toHaveLength(1)
})

test('an unpaid order ends with its reservation; other releases are not its business', async () => {
  const buyer = await h.placed()
  const release = (reason: ReleaseReason) =>
    h.publish(InventoryReleased, { orderId: buyer.order.id, lines: [], reason })
  await release(ReleaseReason.CANCELLED)
  expect((await read(buyer)).status).toBe(OrderStatus.UNFULFILLED)
  await release(ReleaseReason.EXPIRED)
  expect(await read(buyer)).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason: CancelReason.PAYMENT_EXPIRED })
})

test('while the payment cannot be closed an expired order stays, and ends when it can', async () => {
  const buyer = await h.placed()
  h.clock.aheadMs = LATER_MS
  h.world.cut('voidIntent')
  await h.publish(InventoryReleased, { orderId: buyer.order.id, lines: [], reason: ReleaseReason.EXPIRED })
  expect((await read(buyer)).status).toBe(OrderStatus.UNFULFILLED)
  h.clock.aheadMs += 130_000
  await h.recover()
  expect((await read(buyer)).status).toBe(OrderStatus.CANCELLED)
})

test('a late payment whose lease is gone takes the goods again', async () => {
  const buyer = await h.placed()
  h.world.reservations.get(buyer.order.id)!.state = 'expired'
  h.world.pay(buyer.order.id)
  await h.publish(InventoryReleased, { orderId: buyer.order.id, lines: [], reason: ReleaseReason.EXPIRED })
  expect(await read(buyer)).toMatchObject({ status: OrderStatus.UNFULFILLED, paymentStatus: PaymentStatus.PAID })
  expect(h.world.reservations.get(buyer.order.id)?.state).toBe('committed')
  await h.publish(PaymentSucceeded, h.paidEvent(buyer.order))
  expect(await h.told(OrderPaid, buyer.order.id)).toHaveLength(1)
  expect(await h.told(OrderCancelled, buyer.order.id)).toEqual([])
})

test('a late payment for goods that are sold out goes back in full, by itself', async () => {
  const buyer = await h.placed()
  const { id } = buyer.order
  h.world.reservations.get(id)!.state = 'expired'
  for (const part of buyer.order.vendorOrders) for (const item of part.items) h.world.soldOut.add(item.sku)
  h.world.pay(id)
  await h.publish(PaymentSucceeded, h.paidEvent(buyer.order))
  await h.publish(PaymentSucceeded, h.paidEvent(buyer.order))
  const order = await read(buyer)
  expect(order).toMatchObject({
    status: OrderStatus.CANCELLED,
    paymentStatus: PaymentStatus.REFUNDED,
    cancelReason: CancelReason.OUT_OF_STOCK,
  })
  expect(order.amounts!.refunded).toEqual(order.amounts!.total)
  expect(h.world.refundsOf(id).map((refund) => refund.amount)).toEqual([order.amounts!.total])
  // It was never a sale for anybody else.
  expect(await h.told(OrderPaid, id)).toEqual([])
  expect(await h.told(OrderRefunded, id)).toEqual([])
  expect(await h.told(OrderCancelled, id)).toMatchObject([{ wasPaid: false, lines: [] }])
})

test('a payment after the cancellation goes back in full and revives nothing', async () => {
  const buyer = await h.placed()
  await buyer.client.cancelOrder({ orderNo: buyer.order.orderNo, reason: CancelReason.CUSTOMER_REQUEST })
  h.world.pay(buyer.order.id)
  await h.publish(PaymentSucceeded, h.paidEvent(buyer.order))
  expect(await read(buyer)).toMatchObject({ status: OrderStatus.CANCELLED, paymentStatus: PaymentStatus.REFUNDED })
  expect(h.world.refundsOf(buyer.order.id)).toHaveLength(1)
})

test('a refund payment does not take now is handed over later; one it refuses is left for a person', async () => {
  const buyer = await h.paid()
  h.world.cut('refund')
  await buyer.client.cancelOrder({ orderNo: buyer.order.orderNo, reason: CancelReason.CUSTOMER_REQUEST })
  expect(h.world.refundsOf(buyer.order.id)).toHaveLength(0)
  h.clock.aheadMs = 120_000
  await h.deliver()
  const [refund] = h.world.refundsOf(buyer.order.id)
  expect(refund).toMatchObject({ amount: buyer.order.amounts!.total, idempotencyKey: `refund:${refund!.refundId}` })

  const other = await h.paid()
  h.world.cut('refund', 'before', refused('refund_exceeds_payment'))
  await other.client.cancelOrder({ orderNo: other.order.orderNo, reason: CancelReason.CUSTOMER_REQUEST })
  const row = await h.db
    .selectFrom('refunds')
    .selectAll()
    .where('order_id', '=', other.order.id)
    .executeTakeFirstOrThrow()
  expect(row).toMatchObject({ state: 'failed', last_error: 'refund_exceeds_payment' })
  h.clock.aheadMs = 10_000_000
  await h.deliver()
  expect(h.world.refundsOf(other.order.id)).toHaveLength(0)
})

test('what staff gave back at payment counts in the order; our own refunds are counted once', async () => {
  const buyer = await h.paid()
  const event = {
    paymentId: newId(),
    orderId: buyer.order.id,
    orderNo: buyer.order.orderNo,
    userId: buyer.order.userId,
    refundId: newId(),
    amount: taka(500),
    refundedTotal: taka(500),
    full: false,
    reason: 'goodwill',
    refundedAt: new Date(),
  }
  const envelope = await h.publish(PaymentRefunded, event)
  await h.publishRaw(envelope)
  expect(await read(buyer)).toMatchObject({
    paymentStatus: PaymentStatus.PARTIAL,
    amounts: { refunded: taka(500) },
    refunds: [{ amount: taka(500), reason: 'goodwill', parts: [] }],
  })
  const ours = await h.paid()
  await ours.client.cancelOrder({ orderNo: ours.order.orderNo, reason: CancelReason.CUSTOMER_REQUEST })
  const [refund] = h.world.refundsOf(ours.order.id)
  await h.publish(PaymentRefunded, {
    ...event,
    orderId: ours.order.id,
    refundId: refund!.refundId,
    amount: refund!.amount,
    full: true,
  })
  expect((await read(ours)).amounts!.refunded).toEqual(ours.order.amounts!.total)
  const row = await h.db.selectFrom('refunds').select('state').where('id', '=', refund!.refundId).executeTakeFirst()
  expect(row?.state).toBe('paid')
})
