import { newId } from '@haat/kit/id'
import {
  OrderFulfilled,
  VendorOrderAccepted,
  VendorOrderDelivered,
  VendorOrderShipped,
} from '@haat/proto/order/v1/events'
import { Fulfilment, type Order, OrderStatus, VendorOrderStatus } from '@haat/proto/order/v1/order'
import { ShippingStatusUpdated } from '@haat/proto/shipping/v1/events'
import { ShipmentStatus } from '@haat/proto/shipping/v1/shipping'
import { customer, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const { SHIPPED, DELIVERED } = Fulfilment

const scan = (order: Order, index: number, status: ShipmentStatus) =>
  h.publish(ShippingStatusUpdated, {
    shipmentId: newId(),
    orderId: order.id,
    orderNo: order.orderNo,
    vendorOrderId: order.vendorOrders[index]!.id,
    vendorId: order.vendorOrders[index]!.vendorId,
    carrier: 'table',
    trackingNo: 'HT123',
    status,
    description: 'scanned',
    occurredAt: new Date(),
  })

test('a vendor accepts once, ships with a tracking number and delivers; the order follows its slowest part', async () => {
  const { client, order } = await h.paid()
  const [mine, other] = order.vendorOrders
  const status = async () => (await client.getOrder({ orderNo: order.orderNo })).order!.status
  const accepted = await Promise.all([1, 2, 3].map(() => h.vendor.acceptVendorOrder({ vendorOrderId: mine!.id })))
  for (const answer of accepted) expect(answer.vendorOrder!.status).toBe(VendorOrderStatus.ACCEPTED)
  expect(await status()).toBe(OrderStatus.PROCESSING)
  const [event] = await h.told(VendorOrderAccepted, order.id)
  expect(event).toMatchObject({
    optionId: 'std:1',
    carrier: 'table',
    shipTo: { name: 'Rahima Khatun' },
    items: [{ qty: 3 }, { qty: 1 }],
  })

  await expect(h.vendor.updateFulfilment({ vendorOrderId: mine!.id, fulfilment: SHIPPED })).rejects.toMatchObject({
    code: 'tracking_no_required',
  })
  await expect(h.vendor.updateFulfilment({ vendorOrderId: mine!.id, fulfilment: DELIVERED })).rejects.toMatchObject({
    code: 'vendor_order_state_invalid',
    details: { status: 'accepted' },
  })
  const shipping = { vendorOrderId: mine!.id, fulfilment: SHIPPED, trackingNo: 'T-1', carrier: 'Pathao' }
  for (const _ of [1, 2]) {
    const { vendorOrder } = await h.vendor.updateFulfilment(shipping)
    expect(vendorOrder).toMatchObject({ status: VendorOrderStatus.SHIPPED, trackingNo: 'T-1', carrier: 'Pathao' })
  }
  expect(await status()).toBe(OrderStatus.PROCESSING)
  await h.otherVendor.acceptVendorOrder({ vendorOrderId: other!.id })
  await h.staff.updateFulfilment({ ...shipping, vendorOrderId: other!.id })
  expect(await status()).toBe(OrderStatus.SHIPPED)
  for (const part of order.vendorOrders)
    await h.staff.updateFulfilment({ vendorOrderId: part.id, fulfilment: DELIVERED })
  expect(await status()).toBe(OrderStatus.DELIVERED)
  await h.staff.updateFulfilment({ vendorOrderId: mine!.id, fulfilment: DELIVERED })

  expect(await h.told(VendorOrderAccepted, order.id)).toHaveLength(2)
  expect(await h.told(VendorOrderShipped, order.id)).toMatchObject([{ trackingNo: 'T-1', carrier: 'Pathao' }, {}])
  expect(await h.told(VendorOrderDelivered, order.id)).toHaveLength(2)
  expect(await h.told(OrderFulfilled, order.id)).toMatchObject([{ lines: [{}, {}, {}] }])
  const { entries } = await client.getTimeline({ orderNo: order.orderNo })
  expect((await client.getOrder({ orderNo: order.orderNo, withTimeline: true })).timeline).toEqual(entries)
  expect((await client.getOrder({ orderNo: order.orderNo })).timeline).toEqual([])
  expect(entries.map((entry) => entry.event)).toEqual([
    'placed',
    'paid',
    'accepted',
    'shipped',
    'accepted',
    'shipped',
    'delivered',
    'delivered',
  ])
})

test('the carrier’s scans ship and deliver, doubled and in any order', async () => {
  const { client, order } = await h.paid()
  await h.vendor.acceptVendorOrder({ vendorOrderId: order.vendorOrders[0]!.id })
  await h.otherVendor.acceptVendorOrder({ vendorOrderId: order.vendorOrders[1]!.id })
  await scan(order, 0, ShipmentStatus.LABEL_CREATED)
  await scan(order, 0, ShipmentStatus.IN_TRANSIT)
  await scan(order, 0, ShipmentStatus.IN_TRANSIT)
  await scan(order, 0, ShipmentStatus.EXCEPTION)
  // The delivery of the other part overtakes its departure.
  await scan(order, 1, ShipmentStatus.DELIVERED)
  await scan(order, 1, ShipmentStatus.IN_TRANSIT)
  const { order: now } = await client.getOrder({ orderNo: order.orderNo })
  expect(now!.vendorOrders.map((part) => part.status)).toEqual([VendorOrderStatus.SHIPPED, VendorOrderStatus.DELIVERED])
  expect(now!.vendorOrders[1]).toMatchObject({ trackingNo: 'HT123' })
  expect(await h.told(VendorOrderShipped, order.id)).toHaveLength(2)
  expect(await h.told(VendorOrderDelivered, order.id)).toHaveLength(1)
})

test('a scan of a vendor order that is not accepted, or of no known one, changes nothing', async () => {
  const { client, order } = await h.paid()
  await scan(order, 0, ShipmentStatus.DELIVERED)
  await scan({ ...order, id: newId() }, 1, ShipmentStatus.DELIVERED)
  expect((await client.getOrder({ orderNo: order.orderNo })).order!.status).toBe(OrderStatus.UNFULFILLED)
})

test('an unpaid or foreign vendor order is not accepted, and a packer without the right may not', async () => {
  const unpaid = await h.placed()
  const vendorOrderId = unpaid.order.vendorOrders[0]!.id
  await expect(h.vendor.acceptVendorOrder({ vendorOrderId })).rejects.toMatchObject({
    code: 'vendor_order_state_invalid',
    details: { status: 'awaiting_payment' },
  })
  await expect(h.otherVendor.acceptVendorOrder({ vendorOrderId })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'vendor_order_not_found',
  })
  await expect(h.vendor.acceptVendorOrder({ vendorOrderId: newId() })).rejects.toMatchObject({
    code: 'vendor_order_not_found',
  })
  const packer = h.as(await vendorMember(h.seller.vendorId, ['orders.read']))
  await expect(packer.acceptVendorOrder({ vendorOrderId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.as(await customer()).acceptVendorOrder({ vendorOrderId })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
  const foreign = { vendorOrderId, fulfilment: SHIPPED, trackingNo: 'T' }
  await expect(h.otherVendor.updateFulfilment(foreign)).rejects.toMatchObject({ code: 'vendor_order_not_found' })
})
