import { newId } from '@haat/kit/id'
import { ChangeKind } from '@haat/proto/cart/v1/cart'
import { OrderCreated, OrderPaid } from '@haat/proto/order/v1/events'
import { OrderStatus, PaymentStatus, VendorOrderStatus } from '@haat/proto/order/v1/order'
import { expect, test } from 'vitest'
import { cartOf, OPTION, taka } from './cart.ts'
import { startHarness } from './harness.ts'
import { refused } from './neighbours.ts'

const h = await startHarness()

test('an order freezes every number of the cart, holds goods and coupons, opens the payment and says so', async () => {
  const { client, request, spec, person } = await h.shopper()
  const { order, paymentSession } = await client.placeOrder(request)
  const totals = cartOf(spec).totals!
  expect(order).toMatchObject({
    userId: person.userId,
    status: OrderStatus.UNFULFILLED,
    paymentStatus: PaymentStatus.PENDING,
    amounts: { ...totals, refunded: taka(0) },
    couponCodes: ['EID'],
    email: 'rahima@example.com',
    billingAddress: { city: 'Dhaka' },
  })
  expect(order!.orderNo).toMatch(/^HAAT-[0-9A-Z]{5}-[0-9A-Z]{5}$/)
  expect(order!.vendorOrders.map((part) => part.status)).toEqual([1, 1])
  expect(paymentSession).toMatchObject({ intentId: `pi_${order!.id}`, clientSecret: 's' })
  expect(h.world.reservations.get(order!.id)).toMatchObject({ state: 'held' })
  expect(h.world.coupons.get(order!.id)).toBe('held')
  const [created] = await h.told(OrderCreated, order!.id)
  expect(created).toMatchObject({ orderNo: order!.orderNo, amounts: totals, shippingCountry: 'BD' })
  for (const part of created!.vendorOrders) {
    const net = part.total!.minor + part.platformFundedDiscount!.minor - part.tax!.minor - part.commission!.minor
    expect(part.vendorNet!.minor).toBe(net)
    const delivery =
      part.delivery!.total!.minor + part.delivery!.platformFundedDiscount!.minor - part.delivery!.tax!.minor
    expect(part.lines.reduce((sum, line) => sum + line.vendorNet!.minor, delivery)).toBe(net)
  }
})

test('commission is charged after the vendor-funded discount and is none of the customer’s business', async () => {
  const { client, order } = await h.placed()
  const line = order.vendorOrders[0]!.items[0]!
  expect(line.commission).toBeUndefined()
  expect(line.commissionRuleId).toBe('')
  expect(order.vendorOrders[0]!.earningNet).toBeUndefined()
  const { order: full } = await h.staff.getOrder({ orderNo: order.orderNo })
  const sold = full!.vendorOrders[0]!.items[0]!
  expect(sold).toMatchObject({ commission: taka(990), commissionRuleId: 'rule-1', commissionRuleVersion: 7n })
  expect((await client.getOrder({ orderNo: order.orderNo })).order).toMatchObject({ id: order.id })
})

test('the same key and body answers the same order, twenty times at once as well', async () => {
  const { client, request, person } = await h.shopper()
  const answers = await Promise.allSettled(Array.from({ length: 20 }, () => client.placeOrder(request)))
  const orders = answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value.order!.id] : []))
  const errors = answers.flatMap((a) => (a.status === 'rejected' ? [a.reason.code] : []))
  expect(new Set(orders).size).toBe(1)
  expect(errors.every((code) => code === 'idempotency_key_in_flight')).toBe(true)
  const repeat = await client.placeOrder(request)
  expect(repeat.order!.id).toBe(orders[0])
  expect(repeat.paymentSession?.clientSecret).toBe('s')
  expect(await h.ordersOf(person.userId)).toHaveLength(1)
  expect(await h.told(OrderCreated, orders[0]!)).toHaveLength(1)
})

test('the same key with another body is refused', async () => {
  const { client, request } = await h.placed()
  await expect(client.placeOrder({ ...request, email: 'else@example.com' })).rejects.toMatchObject({
    code: 'idempotency_key_reused',
  })
})

test('a repeat after payment answers the order without a session', async () => {
  const { client, request, order } = await h.paid()
  const repeat = await client.placeOrder(request)
  expect(repeat.order).toMatchObject({ id: order.id, paymentStatus: PaymentStatus.PAID })
  expect(repeat.paymentSession).toBeUndefined()
})

test('an order that costs nothing is paid at once, without a session', async () => {
  const spec = {
    groups: [
      {
        vendorId: h.seller.vendorId,
        lines: [{ sku: `F-${newId()}`, qty: 2, price: 500, platformFunded: 1000 }],
        delivery: { amount: 0 },
      },
    ],
    coupons: [{ code: 'FREE', discount: 1000 }],
  }
  const { client, request } = await h.shopper(spec)
  const { order, paymentSession } = await client.placeOrder(request)
  expect(paymentSession).toBeUndefined()
  expect(order).toMatchObject({ paymentStatus: PaymentStatus.PAID, amounts: { total: taka(0) } })
  expect(order!.vendorOrders[0]!.status).toBe(VendorOrderStatus.PENDING)
  const [event] = await h.told(OrderPaid, order!.id)
  // The platform's coupon pays the vendor: 1000 less 10 % commission.
  expect(event!.vendorOrders[0]!.vendorNet).toEqual(taka(900))
})

test('a cart that cannot be ordered is refused with what stands in the way, and leaves nothing behind', async () => {
  const { client, request, spec, person } = await h.shopper()
  const cart = () => h.world.carts.get(person.userId)!
  const refusal = async (more: object = {}) => client.placeOrder({ ...request, ...more }).catch((error) => error)

  h.world.carts.delete(person.userId)
  expect(await refusal()).toMatchObject({ status: 'FAILED_PRECONDITION', code: 'cart_empty' })
  h.world.carts.set(person.userId, { ...cartOf(spec), groups: [], blocking: true })
  expect(await refusal()).toMatchObject({ code: 'cart_empty' })

  h.world.carts.set(person.userId, cartOf(spec))
  expect(await refusal({ deliveries: request.deliveries.slice(0, 1) })).toMatchObject({
    code: 'delivery_unavailable',
    details: { vendor_id: spec.groups[1]!.vendorId },
  })
  const choices = spec.groups.map((group) => ({ vendorId: group.vendorId, optionId: 'gone' }))
  expect(await refusal({ deliveries: choices })).toMatchObject({ code: 'delivery_unavailable' })

  expect(await refusal({ cartRevision: 'another' })).toMatchObject({ code: 'cart_changed' })
  expect(await refusal({ cartRevision: cart().revision, expectedTotal: taka(1) })).toMatchObject({
    code: 'total_changed',
    details: { total: Number(cart().totals!.total!.minor), currency: 'BDT' },
  })

  const change = { kind: ChangeKind.OUT_OF_STOCK, sku: 'A', vendorId: '', code: '', reason: '' }
  h.world.carts.set(person.userId, { ...cartOf(spec), changes: [change], blocking: true })
  expect(await refusal()).toMatchObject({
    code: 'cart_blocked',
    details: { changes: JSON.stringify([{ kind: 'out_of_stock', sku: 'A' }]) },
  })
  const coupon = { ...cartOf(spec).coupons[0]!, accepted: false, reason: 'coupon_expired' }
  const invalid = { ...change, kind: ChangeKind.COUPON_INVALID, sku: '', code: 'EID' }
  h.world.carts.set(person.userId, { ...cartOf(spec), coupons: [coupon], changes: [invalid], blocking: true })
  expect(await refusal()).toMatchObject({ code: 'coupon_invalid', details: { code: 'EID', reason: 'coupon_expired' } })
  expect(await h.ordersOf(person.userId)).toEqual([])
})

test('a cart whose numbers do not add up is never ordered', async () => {
  const { client, request, spec, person } = await h.shopper()
  const cart = cartOf(spec)
  h.world.carts.set(person.userId, { ...cart, totals: { ...cart.totals!, total: taka(1) } })
  await expect(client.placeOrder(request)).rejects.toMatchObject({ status: 'INTERNAL' })
  expect(await h.ordersOf(person.userId)).toEqual([])
})

test('goods that are gone, a spent coupon or a refused payment give everything back at once, unseen by the customer', async () => {
  const cases = [
    { call: 'reserve', error: refused('stock_insufficient'), code: 'stock_insufficient' },
    { call: 'hold', error: refused('coupon_invalid'), code: 'coupon_invalid' },
    { call: 'createIntent', error: refused('provider_rejected'), code: 'payment_rejected' },
  ]
  for (const { call, error, code } of cases) {
    const { client, request, person } = await h.shopper()
    h.world.cut(call, 'before', error)
    await expect(client.placeOrder(request)).rejects.toMatchObject({ status: 'FAILED_PRECONDITION', code })
    const [draft] = await h.ordersOf(person.userId)
    expect(draft).toMatchObject({ status: 'cancelled', cancel_reason: 'checkout_failed', placed_at: null })
    expect((await h.checkoutOf(draft!.id)).state).toBe('failed')
    expect(h.world.reservations.get(draft!.id)?.state).not.toBe('held')
    expect(h.world.coupons.get(draft!.id)).not.toBe('held')
    expect(h.world.payments.get(draft!.id)?.status).toBe('voided')
    expect((await client.listMyOrders({})).orders).toEqual([])
    await expect(client.getOrder({ orderNo: draft!.order_no })).rejects.toMatchObject({ code: 'order_not_found' })
    // The customer mends the cart and tries again, with the same key: a new order.
    const { order } = await client.placeOrder(request)
    expect(order!.id).not.toBe(draft!.id)
    expect(await h.told(OrderCreated, order!.id)).toHaveLength(1)
  }
})

test('strangers and nonsense are refused before anything is asked', async () => {
  const { client, request } = await h.shopper()
  await expect(h.anyone.placeOrder(request)).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  await expect(client.placeOrder({ ...request, email: 'no' })).rejects.toMatchObject({ code: 'request_invalid' })
  const twice = [...request.deliveries, { vendorId: request.deliveries[0]!.vendorId, optionId: OPTION }]
  await expect(client.placeOrder({ ...request, deliveries: twice })).rejects.toMatchObject({
    code: 'deliveries_duplicate',
  })
})
