import { newId } from '@haat/kit/id'
import { CancelReason, OrderStatus, PaymentStatus, VendorOrderStatus } from '@haat/proto/order/v1/order'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { customer, neighbour, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { taka } from './cart.ts'
import { startHarness } from './harness.ts'

const h = await startHarness()

test('an order is read by its customer, by staff and by a service; anybody else learns nothing', async () => {
  const { client, order } = await h.paid()
  const request = { orderNo: order.orderNo }
  expect((await client.getOrder(request)).order!.vendorOrders[0]!.commission).toBeUndefined()
  expect((await h.staff.getOrder(request)).order!.vendorOrders[0]!.commission).toBeDefined()
  expect((await h.neighbour.getOrder(request)).order!.vendorOrders[0]!.earningNet).toBeDefined()
  const stranger = h.as(await customer())
  await expect(stranger.getOrder(request)).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'order_not_found' })
  await expect(h.vendor.getOrder(request)).rejects.toMatchObject({ code: 'order_not_found' })
  await expect(stranger.getTimeline(request)).rejects.toMatchObject({ code: 'order_not_found' })
  await expect(client.getOrder({ orderNo: 'HAAT-00000-00000' })).rejects.toMatchObject({ code: 'order_not_found' })
  await expect(h.anyone.getOrder(request)).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})

test('a service on somebody’s behalf sees what that person may see', async () => {
  const { order, person } = await h.paid()
  const service = await neighbour('bff-storefront')
  const forOwner = h.as({ ...service, token: person.token })
  expect((await forOwner.getOrder({ orderNo: order.orderNo })).order!.vendorOrders[0]!.commission).toBeUndefined()
  const forStranger = h.as({ ...service, token: (await customer()).token })
  await expect(forStranger.getOrder({ orderNo: order.orderNo })).rejects.toMatchObject({ code: 'order_not_found' })
})

test('a person lists their own orders, newest first, page by page', async () => {
  const person = await customer()
  const made: string[] = []
  for (const _ of [1, 2, 3]) {
    const { client, request } = await h.shopper(h.twoVendors(), person)
    made.unshift((await client.placeOrder(request)).order!.orderNo)
  }
  const client = h.as(person)
  const first = await client.listMyOrders({ pageSize: 2 })
  const second = await client.listMyOrders({ pageSize: 2, pageToken: first.nextPageToken })
  expect([...first.orders, ...second.orders].map((order) => order.orderNo)).toEqual(made)
  expect(second.nextPageToken).toBe('')
  expect((await client.listMyOrders({ status: OrderStatus.DELIVERED })).orders).toEqual([])
  await expect(client.listMyOrders({ pageToken: 'nonsense' })).rejects.toMatchObject({ code: 'page_token_invalid' })
})

test('a summary says of an order what the order says, and lists like orders do', async () => {
  const { order, person } = await h.paid()
  const { client, request } = await h.shopper(h.twoVendors(), person)
  const unpaid = (await client.placeOrder(request)).order!
  const summaryOf = (from: typeof order) => ({
    id: from.id,
    orderNo: from.orderNo,
    status: from.status,
    paymentStatus: from.paymentStatus,
    total: from.amounts!.total,
    refunded: from.amounts!.refunded,
    vendorOrders: from.vendorOrders.map(({ id, vendorId, status, items }) => ({
      id,
      vendorId,
      status,
      items: items.map(({ productId, title, image, qty }) => ({ productId, title, image, qty })),
    })),
    placedAt: from.placedAt,
    payBy: from.payBy,
  })
  const { orders } = await client.listMyOrders({})
  expect(orders.map(({ id }) => id)).toEqual([unpaid.id, order.id])
  const first = await client.listMyOrderSummaries({ pageSize: 1 })
  const second = await client.listMyOrderSummaries({ pageSize: 1, pageToken: first.nextPageToken })
  expect([...first.orders, ...second.orders]).toEqual(orders.map(summaryOf))
  expect(first.orders[0]!.payBy).toBeInstanceOf(Date)
  expect(second.nextPageToken).toBe('')
  await client.cancelOrder({ orderNo: unpaid.orderNo, reason: CancelReason.CUSTOMER_REQUEST })
  const cancelled = await client.listMyOrderSummaries({ status: OrderStatus.CANCELLED })
  expect(cancelled.orders.map(({ id }) => id)).toEqual([unpaid.id])
  const stranger = h.as(await customer())
  expect((await stranger.listMyOrderSummaries({})).orders).toEqual([])
  await expect(h.anyone.listMyOrderSummaries({})).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})

test('staff finds orders by number, e-mail, person, vendor, state and time', async () => {
  const { order, person } = await h.paid()
  const find = async (request: Parameters<typeof h.staff.listOrders>[0]) =>
    (await h.staff.listOrders({ ...request, userId: person.userId })).orders.map((found) => found.id)
  expect(await find({})).toEqual([order.id])
  expect(await find({ query: order.orderNo.slice(0, 9).toLowerCase() })).toEqual([order.id])
  expect(await find({ query: 'RAHIMA@example.com' })).toEqual([order.id])
  expect(await find({ query: 'HAAT-%' })).toEqual([])
  expect(
    await find({ vendorId: h.seller.vendorId, status: OrderStatus.UNFULFILLED, paymentStatus: PaymentStatus.PAID }),
  ).toEqual([order.id])
  expect(await find({ vendorId: newId() })).toEqual([])
  expect(await find({ paymentStatus: PaymentStatus.PENDING })).toEqual([])
  expect(await find({ from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) })).toEqual([order.id])
  expect(await find({ to: new Date(Date.now() - 60_000) })).toEqual([])
  await expect(h.vendor.listOrders({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('a vendor lists its own paid parts only, and reads one with the address it ships to', async () => {
  const [paid, unpaid] = [await h.paid(), await h.placed()]
  const [mine, other] = paid.order.vendorOrders
  const { vendorOrders } = await h.vendor.listVendorOrders({ pageSize: 100 })
  expect(vendorOrders.map((part) => part.id)).toContain(mine!.id)
  expect(vendorOrders.every((part) => part.vendorId === h.seller.vendorId)).toBe(true)
  expect(vendorOrders.some((part) => part.orderId === unpaid.order.id)).toBe(false)
  expect((await h.vendor.listVendorOrders({ status: VendorOrderStatus.AWAITING_PAYMENT })).vendorOrders).toEqual([])
  await expect(h.vendor.listVendorOrders({ vendorId: h.other.vendorId })).rejects.toMatchObject({ status: 'NOT_FOUND' })
  const byNumber = await h.staff.listVendorOrders({ query: paid.order.orderNo })
  expect(byNumber.vendorOrders.map((part) => part.id).sort()).toEqual([mine!.id, other!.id].sort())

  const read = await h.vendor.getVendorOrder({ vendorOrderId: mine!.id })
  expect(read).toMatchObject({ paymentStatus: PaymentStatus.PAID, vendorOrder: { shipTo: { line1: '12 Green Road' } } })
  const { vendorOrder } = await h.vendor.getVendorOrder({ vendorOrderId: unpaid.order.vendorOrders[0]!.id })
  expect(vendorOrder!.shipTo).toBeUndefined()
  await expect(h.vendor.getVendorOrder({ vendorOrderId: other!.id })).rejects.toMatchObject({
    code: 'vendor_order_not_found',
  })
  const clerk = h.as(await vendorMember(h.seller.vendorId, ['catalog.write']))
  await expect(clerk.listVendorOrders({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('a vendor sees its own refunds and the timeline of its part, not the other vendor’s', async () => {
  const { order } = await h.paid()
  const [mine, other] = order.vendorOrders
  const refund = (part: typeof mine) => ({
    idempotencyKey: `key-${newId()}`,
    vendorOrderId: part!.id,
    lines: [{ orderItemId: part!.items[0]!.id, qty: 1 }],
    reason: `about ${part!.vendorId}`,
  })
  await h.vendor.refundLines(refund(mine))
  await h.otherVendor.refundLines(refund(other))
  const read = await h.vendor.getVendorOrder({ vendorOrderId: mine!.id })
  expect(read.refunds.map((r) => r.reason)).toEqual([`about ${mine!.vendorId}`])
  expect(read.timeline.map((entry) => entry.event)).toEqual(['placed', 'paid', 'refunded'])
})

test('what a person bought, paid and did not give back entitles to a review', async () => {
  const productId = newId()
  const line = { sku: `R-${newId()}`, qty: 2, price: 700, productId }
  const { order, person } = await h.paid({ groups: [{ vendorId: h.seller.vendorId, lines: [line] }] })
  const ask = async () => (await h.neighbour.hasPurchased({ userId: person.userId, productId })).lines
  expect(await ask()).toMatchObject([{ orderNo: order.orderNo, sku: line.sku, vendorId: h.seller.vendorId }])
  expect((await ask())[0]!.deliveredAt).toBeUndefined()
  const item = order.vendorOrders[0]!.items[0]!
  const refund = { vendorOrderId: order.vendorOrders[0]!.id, lines: [{ orderItemId: item.id, qty: 2 }], reason: 'x' }
  await h.vendor.refundLines({ idempotencyKey: `key-${newId()}`, ...refund })
  expect(await ask()).toEqual([])
  const unpaid = await h.placed({ groups: [{ vendorId: h.seller.vendorId, lines: [line] }] })
  expect((await h.neighbour.hasPurchased({ userId: unpaid.person.userId, productId })).lines).toEqual([])
  await expect(h.staff.hasPurchased({ userId: person.userId, productId })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})

test('tax is quoted from the table, for services', async () => {
  const lines = [
    { lineId: 'a', taxClass: 'standard', amount: taka(11_500) },
    { lineId: 'b', taxClass: 'zero', amount: taka(10_000) },
  ]
  expect(await h.neighbour.quoteTax({ country: 'BD', lines })).toEqual({
    lines: [
      { lineId: 'a', tax: taka(1_500), bps: 1500, included: true },
      { lineId: 'b', tax: taka(0), bps: 0, included: true },
    ],
    pricesIncludeTax: true,
  })
  expect((await h.neighbour.quoteTax({ country: 'DE', lines })).lines.map((line) => line.tax!.minor)).toEqual([0n, 0n])
  const luxury = [{ lineId: 'a', taxClass: 'luxury', amount: taka(1) }]
  await expect(h.neighbour.quoteTax({ country: 'BD', lines: luxury })).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    code: 'tax_class_unknown',
    details: { tax_class: 'luxury' },
  })
  const negative = [{ lineId: 'a', taxClass: 'standard', amount: taka(-1) }]
  await expect(h.neighbour.quoteTax({ country: 'BD', lines: negative })).rejects.toMatchObject({
    code: 'amount_negative',
  })
  await expect(h.staff.quoteTax({ country: 'BD', lines })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('a person who left is forgotten; what was sold stays', async () => {
  const { order, person } = await h.paid()
  await h.publish(UserForgotten, { userId: person.userId, forgottenAt: new Date() })
  const { order: now } = await h.staff.getOrder({ orderNo: order.orderNo })
  expect(now).toMatchObject({
    email: '',
    shippingAddress: { name: '', line1: '', country: 'BD' },
    amounts: order.amounts,
  })
})

test('what was agreed at the sale and what happened cannot be rewritten', async () => {
  const { order } = await h.paid()
  const item = order.vendorOrders[0]!.items[0]!
  const freeze = /frozen at the moment of sale/
  await expect(
    h.db.updateTable('order_items').set({ commission: 0n }).where('id', '=', item.id).execute(),
  ).rejects.toThrow(freeze)
  await expect(h.db.updateTable('orders').set({ total: 0n }).where('id', '=', order.id).execute()).rejects.toThrow(
    freeze,
  )
  const timeline = h.db.deleteFrom('order_timeline').where('order_id', '=', order.id)
  await expect(timeline.execute()).rejects.toThrow(/append-only/)
})
