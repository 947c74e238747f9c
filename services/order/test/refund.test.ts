import { newId } from '@haat/kit/id'
import { OrderCancelled, OrderPaid, OrderRefunded, VendorOrderCancelled } from '@haat/proto/order/v1/events'
import {
  CancelReason,
  Fulfilment,
  type Order,
  OrderStatus,
  PaymentStatus,
  VendorOrderStatus,
} from '@haat/proto/order/v1/order'
import { vendorMember } from '@haat/testkit/tokens'
import { beforeEach, expect, test } from 'vitest'
import { taka } from './cart.ts'
import { startHarness } from './harness.ts'

const h = await startHarness()

beforeEach(() => {
  h.clock.aheadMs = 0
  h.world.mend()
})

const ask = (order: Order, lines: [index: number, qty: number][], more: object = {}) => ({
  idempotencyKey: `refund-${newId()}`,
  vendorOrderId: order.vendorOrders[0]!.id,
  lines: lines.map(([index, qty]) => ({ orderItemId: order.vendorOrders[0]!.items[index]!.id, qty })),
  reason: 'damaged',
  ...more,
})

test('unit by unit the refunds of a vendor order sum to it, whatever does not divide', async () => {
  const { client, order } = await h.paid()
  const part = order.vendorOrders[0]!
  let given = 0n
  for (const lines of [[[0, 1]], [[0, 1]], [[1, 1]], [[0, 1]]] as [number, number][][]) {
    const { refund } = await h.vendor.refundLines(ask(order, lines))
    given += refund!.amount!.minor
  }
  expect(given).toBe(part.amounts!.total!.minor)
  const [paid] = await h.told(OrderPaid, order.id)
  const refunds = await h.told(OrderRefunded, order.id)
  const sum = (of: 'vendorNet' | 'tax' | 'commission' | 'platformFundedDiscount' | 'vendorFundedDiscount') =>
    refunds.reduce((all, refund) => all + refund.vendorOrders[0]![of]!.minor, 0n)
  for (const of of ['vendorNet', 'tax', 'commission', 'platformFundedDiscount', 'vendorFundedDiscount'] as const)
    expect([of, sum(of)]).toEqual([of, paid!.vendorOrders[0]![of]!.minor])
  // The last line takes the delivery charge along, and nothing is left of the part.
  expect(refunds.map((refund) => refund.vendorOrders[0]!.shipping!.minor)).toEqual([0n, 0n, 0n, 6000n])
  const { order: now } = await client.getOrder({ orderNo: order.orderNo })
  expect(now!.vendorOrders[0]).toMatchObject({
    status: VendorOrderStatus.CANCELLED,
    cancelReason: CancelReason.REFUNDED,
  })
  expect(now).toMatchObject({ status: OrderStatus.UNFULFILLED, paymentStatus: PaymentStatus.PARTIAL })
  expect(await h.told(VendorOrderCancelled, order.id)).toMatchObject([{ items: [] }])
})

test('a refund names its line, counts it, and puts the goods back only when asked to', async () => {
  const { order } = await h.paid()
  const { refund, vendorOrder } = await h.vendor.refundLines(ask(order, [[0, 2]]))
  expect(refund).toMatchObject({
    reason: 'damaged',
    byUserId: h.seller.userId,
    parts: [{ lines: [{ qty: 2 }], restocked: false }],
  })
  expect(vendorOrder!.items[0]).toMatchObject({ refundedQty: 2, refundedAmount: refund!.amount })
  expect(h.world.restocks.has(refund!.id)).toBe(false)
  const back = await h.vendor.refundLines(ask(order, [[0, 1]], { restock: true, includeShipping: true }))
  expect(back.refund!.parts[0]).toMatchObject({ shipping: taka(6000), restocked: true })
  expect(h.world.restocks.get(back.refund!.id)).toEqual([{ sku: order.vendorOrders[0]!.items[0]!.sku, qty: 1 }])
})

test('the same key refunds once: at the same time, afterwards, and after a break', async () => {
  const { order } = await h.paid()
  const request = ask(order, [[0, 1]])
  const answers = await Promise.allSettled(Array.from({ length: 10 }, () => h.vendor.refundLines(request)))
  const ids = answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value.refund!.id] : []))
  expect(new Set(ids).size).toBe(1)
  // The key's own row is gone, as after a failed attempt: the refund still knows its key.
  await h.db.deleteFrom('idempotency_keys').where('key', '=', request.idempotencyKey).execute()
  expect((await h.vendor.refundLines(request)).refund!.id).toBe(ids[0])
  await expect(h.vendor.refundLines({ ...request, reason: 'other' })).rejects.toMatchObject({
    code: 'idempotency_key_reused',
  })
  expect(h.world.refundsOf(order.id)).toHaveLength(1)
})

test('refunds that race for the last unit give it back once', async () => {
  const { order } = await h.paid()
  const answers = await Promise.allSettled(Array.from({ length: 6 }, () => h.vendor.refundLines(ask(order, [[1, 1]]))))
  expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(1)
  for (const a of answers) if (a.status === 'rejected') expect(a.reason.code).toBe('refund_exceeds_line')
})

test('a refund is decided even when payment does not answer; it gets there later, once', async () => {
  const { order } = await h.paid()
  h.world.cut('refund', 'after')
  const request = ask(order, [[0, 1]])
  const { refund } = await h.vendor.refundLines(request)
  h.clock.aheadMs = 120_000
  await h.deliver()
  await h.deliver()
  expect(h.world.refundsOf(order.id).map((r) => r.refundId)).toEqual([refund!.id])
  const row = await h.db.selectFrom('refunds').select('state').where('id', '=', refund!.id).executeTakeFirst()
  expect(row?.state).toBe('accepted')
})

test('the last refund of the last part ends the order', async () => {
  const { client, order } = await h.paid({
    groups: [{ vendorId: h.seller.vendorId, lines: [{ sku: `S-${newId()}`, qty: 2, price: 999 }] }],
  })
  await h.vendor.refundLines(ask(order, [[0, 2]]))
  const { order: now } = await client.getOrder({ orderNo: order.orderNo })
  expect(now).toMatchObject({
    status: OrderStatus.CANCELLED,
    paymentStatus: PaymentStatus.REFUNDED,
    cancelReason: CancelReason.REFUNDED,
  })
  expect(await h.told(OrderCancelled, order.id)).toMatchObject([{ lines: [] }])
  expect(await h.told(OrderRefunded, order.id)).toMatchObject([{ full: true }])
})

test('after a partial refund, cancelling gives back exactly the rest, and only goods that are still there', async () => {
  const { client, order } = await h.paid()
  const first = await h.vendor.refundLines(ask(order, [[0, 2]]))
  await client.cancelOrder({ orderNo: order.orderNo, reason: CancelReason.CUSTOMER_REQUEST })
  const total = h.world.refundsOf(order.id).reduce((sum, refund) => sum + refund.amount!.minor, 0n)
  expect(total).toBe(order.amounts!.total!.minor)
  expect(first.refund!.amount!.minor).toBeLessThan(total)
  const [event] = await h.told(OrderCancelled, order.id)
  expect(event!.lines.map((line) => line.qty)).toEqual([1, 1, 2])
})

test('what cannot be refunded is refused, and changes nothing', async () => {
  const { client, order } = await h.paid()
  const item = order.vendorOrders[0]!.items[0]!
  await expect(h.vendor.refundLines(ask(order, [[0, 4]]))).rejects.toMatchObject({
    code: 'refund_exceeds_line',
    details: { order_item_id: item.id, refundable: 3 },
  })
  await expect(
    h.vendor.refundLines(
      ask(order, [
        [0, 1],
        [0, 1],
      ]),
    ),
  ).rejects.toMatchObject({ code: 'lines_duplicate' })
  const foreign = { orderItemId: order.vendorOrders[1]!.items[0]!.id, qty: 1 }
  await expect(h.vendor.refundLines(ask(order, [], { lines: [foreign] }))).rejects.toMatchObject({
    code: 'order_item_not_found',
  })
  await expect(h.otherVendor.refundLines(ask(order, [[0, 1]]))).rejects.toMatchObject({
    code: 'vendor_order_not_found',
  })
  await expect(client.refundLines(ask(order, [[0, 1]]))).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  const packer = h.as(await vendorMember(h.seller.vendorId, ['orders.read']))
  await expect(packer.refundLines(ask(order, [[0, 1]]))).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  const unpaid = await h.placed()
  await expect(h.vendor.refundLines(ask(unpaid.order, [[0, 1]]))).rejects.toMatchObject({
    code: 'vendor_order_state_invalid',
  })

  const id = order.vendorOrders[0]!.id
  await h.vendor.acceptVendorOrder({ vendorOrderId: id })
  await h.vendor.updateFulfilment({ vendorOrderId: id, fulfilment: Fulfilment.SHIPPED, trackingNo: 'T1' })
  await expect(h.vendor.refundLines(ask(order, [[0, 1]]))).rejects.toMatchObject({ details: { status: 'shipped' } })
  expect(h.world.refundsOf(order.id)).toEqual([])
})
