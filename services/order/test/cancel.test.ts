import {
  OrderCancelled,
  OrderFulfilled,
  OrderPaid,
  OrderRefunded,
  VendorOrderCancelled,
} from '@haat/proto/order/v1/events'
import { CancelReason, Fulfilment, OrderStatus, PaymentStatus, VendorOrderStatus } from '@haat/proto/order/v1/order'
import { PaymentFailed } from '@haat/proto/payment/v1/events'
import { customer } from '@haat/testkit/tokens'
import { beforeEach, expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const { CUSTOMER_REQUEST, FRAUD, OUT_OF_STOCK } = CancelReason

beforeEach(() => {
  h.clock.aheadMs = 0
  h.world.mend()
})

test('a customer cancels an unpaid order: the payment is closed, nothing is refunded', async () => {
  const { client, order } = await h.placed()
  const cancelled = await client.cancelOrder({ orderNo: order.orderNo, reason: FRAUD, note: 'changed my mind' })
  expect(cancelled.order).toMatchObject({
    status: OrderStatus.CANCELLED,
    paymentStatus: PaymentStatus.FAILED,
    cancelReason: CUSTOMER_REQUEST,
  })
  expect(h.world.payments.get(order.id)?.status).toBe('voided')
  expect(h.world.refundsOf(order.id)).toEqual([])
  expect(await h.told(OrderCancelled, order.id)).toMatchObject([
    { wasPaid: false, lines: [], note: 'changed my mind', byUserId: order.userId, reason: CUSTOMER_REQUEST },
  ])
  // Payment's own echo of the closing changes nothing.
  await h.publish(PaymentFailed, h.failedEvent(order, 'voided', true))
  const again = await client.cancelOrder({ orderNo: order.orderNo, reason: CUSTOMER_REQUEST })
  expect(again.order).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason: CUSTOMER_REQUEST })
  expect(await h.told(OrderCancelled, order.id)).toHaveLength(1)
})

test('cancelling a paid order refunds all of it and sends all its goods back, once', async () => {
  const { client, order } = await h.paid()
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => client.cancelOrder({ orderNo: order.orderNo, reason: CUSTOMER_REQUEST })),
  )
  for (const answer of answers) expect(answer.order!.status).toBe(OrderStatus.CANCELLED)
  const { total } = order.amounts!
  expect(answers[0]!.order).toMatchObject({
    paymentStatus: PaymentStatus.REFUNDED,
    amounts: { refunded: total },
    refunds: [{ amount: total, byUserId: order.userId }],
  })
  expect(h.world.refundsOf(order.id)).toMatchObject([{ amount: total }])
  const [event] = await h.told(OrderCancelled, order.id)
  expect(event!.lines.map((line) => line.qty)).toEqual([3, 1, 2])
  expect(event!.wasPaid).toBe(true)
  expect(await h.told(VendorOrderCancelled, order.id)).toHaveLength(2)
  const [refunded] = await h.told(OrderRefunded, order.id)
  const [paid] = await h.told(OrderPaid, order.id)
  expect(refunded).toMatchObject({ amount: total, full: true })
  // Every vendor gives back exactly what it earned.
  expect(refunded!.vendorOrders.map((part) => part.vendorNet)).toEqual(paid!.vendorOrders.map((part) => part.vendorNet))
  expect(refunded!.vendorOrders.map((part) => part.commission)).toEqual(
    paid!.vendorOrders.map((part) => part.commission),
  )
  // The goods go back through order.cancelled, not a second time by the refund.
  expect(h.world.restocks.size).toBe(0)
})

test('a customer who pays while cancelling gets the money back', async () => {
  const { client, order } = await h.placed()
  h.world.pay(order.id)
  const cancelled = await client.cancelOrder({ orderNo: order.orderNo, reason: CUSTOMER_REQUEST })
  expect(cancelled.order).toMatchObject({ status: OrderStatus.CANCELLED, paymentStatus: PaymentStatus.REFUNDED })
  expect(h.world.refundsOf(order.id)).toHaveLength(1)
  expect(await h.told(OrderPaid, order.id)).toHaveLength(1)
  expect(await h.told(OrderRefunded, order.id)).toHaveLength(1)
})

test('a cancellation that payment does not answer is not forgotten, even when the customer pays meanwhile', async () => {
  const { client, order } = await h.placed()
  h.world.cut('voidIntent')
  await expect(client.cancelOrder({ orderNo: order.orderNo, reason: CUSTOMER_REQUEST })).rejects.toMatchObject({
    status: 'UNAVAILABLE',
    code: 'payment_unavailable',
  })
  h.world.pay(order.id)
  h.clock.aheadMs = 130_000
  await h.recover()
  const { order: now } = await client.getOrder({ orderNo: order.orderNo })
  expect(now).toMatchObject({ status: OrderStatus.CANCELLED, paymentStatus: PaymentStatus.REFUNDED })
})

test('once a part has left its vendor the order cannot be cancelled', async () => {
  const { client, order } = await h.paid()
  const id = order.vendorOrders[0]!.id
  await h.vendor.acceptVendorOrder({ vendorOrderId: id })
  await h.vendor.updateFulfilment({ vendorOrderId: id, fulfilment: Fulfilment.SHIPPED, trackingNo: 'T1' })
  await expect(client.cancelOrder({ orderNo: order.orderNo, reason: CUSTOMER_REQUEST })).rejects.toMatchObject({
    code: 'order_not_cancellable',
    details: { status: 'processing' },
  })
  expect(h.world.refundsOf(order.id)).toEqual([])
})

test('staff with the right may cancel with any reason; a stranger learns nothing', async () => {
  const { order } = await h.paid()
  const stranger = h.as(await customer())
  const request = { orderNo: order.orderNo, reason: FRAUD }
  await expect(stranger.cancelOrder(request)).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'order_not_found' })
  await expect(h.vendor.cancelOrder(request)).rejects.toMatchObject({ code: 'order_not_found' })
  const { order: cancelled } = await h.staff.cancelOrder(request)
  expect(cancelled).toMatchObject({ cancelReason: FRAUD, refunds: [{ byUserId: h.clerk.userId }] })
})

test('a vendor cancels its part: only that is refunded and put back, the rest goes on', async () => {
  const { client, order } = await h.paid()
  const [mine, other] = order.vendorOrders
  const request = { vendorOrderId: mine!.id, reason: OUT_OF_STOCK, note: 'broken in the store' }
  const [answer] = await Promise.all([1, 2, 3].map(() => h.vendor.cancelVendorOrder(request)))
  expect(answer!.vendorOrder).toMatchObject({ status: VendorOrderStatus.CANCELLED, cancelReason: OUT_OF_STOCK })
  expect(answer!.vendorOrder!.amounts!.refunded).toEqual(mine!.amounts!.total)
  const { order: now } = await client.getOrder({ orderNo: order.orderNo })
  expect(now).toMatchObject({ status: OrderStatus.UNFULFILLED, paymentStatus: PaymentStatus.PARTIAL })
  const [refund] = h.world.refundsOf(order.id)
  expect(refund!.amount).toEqual(mine!.amounts!.total)
  expect(
    h.world.restocks
      .get(refund!.refundId)
      ?.map((line) => line.qty)
      .sort(),
  ).toEqual([1, 3])
  expect(await h.told(OrderRefunded, order.id)).toMatchObject([
    { full: false, vendorOrders: [{ vendorOrderId: mine!.id }] },
  ])
  expect(await h.told(OrderCancelled, order.id)).toEqual([])

  await h.otherVendor.cancelVendorOrder({ vendorOrderId: other!.id, reason: OUT_OF_STOCK })
  const { order: end } = await client.getOrder({ orderNo: order.orderNo })
  expect(end).toMatchObject({ status: OrderStatus.CANCELLED, paymentStatus: PaymentStatus.REFUNDED })
  expect(end!.amounts!.refunded).toEqual(end!.amounts!.total)
  // Both parts were put back by their refunds: the order's end puts back nothing more.
  expect(await h.told(OrderCancelled, order.id)).toMatchObject([{ lines: [], wasPaid: true }])
})

test('when the last live part is delivered already, cancelling the other fulfils the order', async () => {
  const { client, order } = await h.paid()
  const [mine, other] = order.vendorOrders
  await h.vendor.acceptVendorOrder({ vendorOrderId: mine!.id })
  await h.vendor.updateFulfilment({ vendorOrderId: mine!.id, fulfilment: Fulfilment.SHIPPED, trackingNo: 'T1' })
  await h.vendor.updateFulfilment({ vendorOrderId: mine!.id, fulfilment: Fulfilment.DELIVERED })
  await h.otherVendor.cancelVendorOrder({ vendorOrderId: other!.id, reason: OUT_OF_STOCK })
  expect((await client.getOrder({ orderNo: order.orderNo })).order!.status).toBe(OrderStatus.DELIVERED)
  const [event] = await h.told(OrderFulfilled, order.id)
  expect(event!.lines.every((line) => line.vendorId === h.seller.vendorId)).toBe(true)
})

test('an unpaid, shipped or foreign vendor order is not cancelled', async () => {
  const unpaid = await h.placed()
  const request = { vendorOrderId: unpaid.order.vendorOrders[0]!.id, reason: OUT_OF_STOCK }
  await expect(h.vendor.cancelVendorOrder(request)).rejects.toMatchObject({
    code: 'vendor_order_state_invalid',
    details: { status: 'awaiting_payment' },
  })
  await expect(h.otherVendor.cancelVendorOrder(request)).rejects.toMatchObject({ code: 'vendor_order_not_found' })
  await expect(unpaid.client.cancelVendorOrder(request)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('goods that inventory cannot take back now are put back later', async () => {
  const { order } = await h.paid()
  h.world.cut('restock')
  await h.vendor.cancelVendorOrder({ vendorOrderId: order.vendorOrders[0]!.id, reason: OUT_OF_STOCK })
  const [refund] = h.world.refundsOf(order.id)
  expect(h.world.restocks.has(refund!.refundId)).toBe(false)
  h.clock.aheadMs = 120_000
  await h.deliver()
  expect(h.world.restocks.has(refund!.refundId)).toBe(true)
  expect(h.world.refundsOf(order.id)).toHaveLength(1)
})
