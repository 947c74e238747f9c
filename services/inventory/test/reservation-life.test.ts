import { newId } from '@haat/kit/id'
import { InventoryCommitted, InventoryReleased } from '@haat/proto/inventory/v1/events'
import { ReleaseReason, ReservationState, RestockReason } from '@haat/proto/inventory/v1/inventory'
import { OrderCancelled, OrderPaid } from '@haat/proto/order/v1/events'
import { PaymentFailed } from '@haat/proto/payment/v1/events'
import { neighbour } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

let clock = Date.now()
const h = await startHarness({ now: () => new Date(clock) })

async function held(qty: number, onHand = 10) {
  const sku = await h.stocked(onHand)
  const orderId = newId()
  await h.order.reserve({ orderId, lines: [{ sku, qty }], ttlSeconds: 60 })
  return { sku, orderId, lines: [{ sku, qty }] }
}

const clean = async (sku: string) => expect((await h.vendor.verifyStock({ sku })).differences).toEqual([])

test('committing takes the goods off the shelf once, however often it is asked', async () => {
  const { sku, orderId } = await held(4)
  const answers = await Promise.all([1, 2, 3].map(() => h.order.commit({ orderId })))
  expect(answers.map((a) => a.reservation?.state)).toEqual(Array(3).fill(ReservationState.COMMITTED))
  expect(await h.level(sku)).toMatchObject({ onHand: 6, reserved: 0, available: 6 })
  expect((await h.service.emitted(InventoryCommitted)).filter((e) => e.data.orderId === orderId)).toHaveLength(1)
  await clean(sku)
})

test('a lease that ran out gives the goods back, and says so', async () => {
  const { sku, orderId } = await held(4)
  clock += 61_000
  await h.service.service.runJob('expire-reservations')
  expect(await h.level(sku)).toMatchObject({ onHand: 10, reserved: 0 })
  const released = (await h.service.emitted(InventoryReleased)).filter((e) => e.data.orderId === orderId)
  expect(released).toMatchObject([{ data: { reason: ReleaseReason.EXPIRED } }])
  await expect(h.order.commit({ orderId })).rejects.toMatchObject({ code: 'reservation_expired' })
})

test('a lease that ran out but was not swept still becomes a sale', async () => {
  const { sku, orderId } = await held(4)
  clock += 61_000
  await h.order.commit({ orderId })
  await h.service.service.runJob('expire-reservations')
  expect(await h.level(sku)).toMatchObject({ onHand: 6, reserved: 0 })
})

test('committing and releasing the same order at once: one of them wins and the numbers add up', async () => {
  for (let round = 0; round < 10; round++) {
    const { sku, orderId } = await held(3)
    await Promise.allSettled([
      h.order.commit({ orderId }),
      h.order.release({ orderId, reason: ReleaseReason.CANCELLED }),
    ])
    const { onHand, reserved } = await h.level(sku)
    expect(reserved).toBe(0)
    expect([7, 10]).toContain(onHand)
    await clean(sku)
  }
})

test('orders of the same goods that end at once never block each other, and the numbers add up', async () => {
  const [a, b] = [await h.stocked(100), await h.stocked(100)]
  const orders = Array.from({ length: 40 }, () => newId())
  const one = [
    { sku: a, qty: 1 },
    { sku: b, qty: 2 },
  ]
  for (const [i, orderId] of orders.entries())
    await h.order.reserve({ orderId, lines: i % 3 ? one : [...one].reverse() })
  await Promise.all(
    orders.map((orderId, i) =>
      i % 2 ? h.order.commit({ orderId }) : h.order.release({ orderId, reason: ReleaseReason.CANCELLED }),
    ),
  )
  expect(await h.level(a)).toMatchObject({ onHand: 80, reserved: 0 })
  expect(await h.level(b)).toMatchObject({ onHand: 60, reserved: 0 })
  expect((await h.vendor.verifyStock({ sku: b })).differences).toEqual([])
})

test('an extended lease outlives the sweep, and is never shortened', async () => {
  const { sku, orderId } = await held(2)
  const { reservation } = await h.order.extend({ orderId, ttlSeconds: 600 })
  expect((await h.order.extend({ orderId, ttlSeconds: 1 })).reservation?.expiresAt).toEqual(reservation?.expiresAt)
  clock += 120_000
  await h.service.service.runJob('expire-reservations')
  expect(await h.level(sku)).toMatchObject({ reserved: 2 })
  await h.order.commit({ orderId })
  await expect(h.order.extend({ orderId })).rejects.toMatchObject({ code: 'reservation_committed' })
  await expect(h.order.extend({ orderId: newId() })).rejects.toMatchObject({ code: 'reservation_not_found' })
})

test('releasing is safe for orders that never reserved, and refused for sold goods', async () => {
  expect(await h.order.release({ orderId: newId(), reason: ReleaseReason.CANCELLED })).toEqual({
    reservation: undefined,
  })
  const { orderId } = await held(1)
  await h.order.commit({ orderId })
  await expect(h.order.release({ orderId, reason: ReleaseReason.CANCELLED })).rejects.toMatchObject({
    code: 'reservation_committed',
  })
})

test('goods go back on the shelf once per reference', async () => {
  const { sku, orderId, lines } = await held(4)
  await h.order.commit({ orderId })
  const reference = newId()
  const restock = { reference, orderId, lines, reason: RestockReason.REFUNDED }
  const answers = await Promise.all([1, 2, 3, 4].map(() => h.order.restock(restock)))
  expect(answers.filter((a) => a.applied)).toHaveLength(1)
  expect(await h.level(sku)).toMatchObject({ onHand: 10 })
  await expect(h.order.restock({ ...restock, lines: [{ sku, qty: 1 }] })).rejects.toMatchObject({
    code: 'restock_mismatch',
  })
  await expect(
    h.order.restock({ ...restock, reference: newId(), lines: [{ sku: 'NOPE', qty: 1 }] }),
  ).rejects.toMatchObject({
    code: 'stock_not_found',
  })
  await clean(sku)
})

test('order.paid sells what the order holds, and a repeat of the event changes nothing', async () => {
  const { sku, orderId } = await held(4)
  const envelope = await h.service.publish(OrderPaid, OrderPaid.fromPartial({ orderId }))
  await h.service.publishRaw(envelope)
  expect(await h.level(sku)).toMatchObject({ onHand: 6, reserved: 0 })
  await clean(sku)
})

test('order.cancelled releases an unpaid order and restocks a paid one', async () => {
  const unpaid = await held(4)
  await h.service.publish(OrderCancelled, OrderCancelled.fromPartial({ orderId: unpaid.orderId }))
  expect(await h.level(unpaid.sku)).toMatchObject({ onHand: 10, reserved: 0 })

  const paid = await held(4)
  await h.order.commit({ orderId: paid.orderId })
  const cancelled = OrderCancelled.fromPartial({ orderId: paid.orderId, lines: [{ sku: paid.sku, qty: 3 }] })
  await h.service.publish(OrderCancelled, cancelled)
  await h.service.publish(OrderCancelled, cancelled)
  expect(await h.level(paid.sku)).toMatchObject({ onHand: 9, reserved: 0 })
  await clean(paid.sku)
})

test('a declined card keeps the goods held, a payment that is over frees them', async () => {
  const { sku, orderId } = await held(4)
  await h.service.publish(PaymentFailed, PaymentFailed.fromPartial({ paymentId: newId(), orderId, final: false }))
  expect(await h.level(sku)).toMatchObject({ reserved: 4 })
  await h.service.publish(PaymentFailed, PaymentFailed.fromPartial({ paymentId: newId(), orderId, final: true }))
  expect(await h.level(sku)).toMatchObject({ reserved: 0 })
})

test('reservations survive a restart', async () => {
  const { sku, orderId } = await held(4)
  await h.service.restart()
  const { reservation } = await h.as(await neighbour()).commit({ orderId })
  expect(reservation?.state).toBe(ReservationState.COMMITTED)
  expect((await h.as(h.seller).listStock({ skus: [sku] })).levels[0]).toMatchObject({ onHand: 6, reserved: 0 })
})
