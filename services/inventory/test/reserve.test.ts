import { newId } from '@haat/kit/id'
import { InventoryReserved, InventoryStockChanged } from '@haat/proto/inventory/v1/events'
import { ReleaseReason, ReservationState } from '@haat/proto/inventory/v1/inventory'
import { customer } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()

test('reserving holds all lines for the order and announces it', async () => {
  const [a, b] = [await h.stocked(10), await h.stocked(5)]
  const orderId = newId()
  const { reservation } = await h.order.reserve({
    orderId,
    lines: [
      { sku: b, qty: 2 },
      { sku: a, qty: 3 },
    ],
    ttlSeconds: 60,
  })
  expect(reservation).toMatchObject({
    orderId,
    state: ReservationState.HELD,
    lines: [
      { sku: a, qty: 3 },
      { sku: b, qty: 2 },
    ],
  })
  expect(await h.level(a)).toMatchObject({ onHand: 10, reserved: 3, available: 7 })
  const reserved = await h.service.emitted(InventoryReserved)
  expect(reserved.filter((e) => e.data.orderId === orderId)).toHaveLength(1)
  const changed = (await h.service.emitted(InventoryStockChanged)).filter((e) => e.data.sku === a)
  expect(changed.at(-1)?.data).toMatchObject({ onHand: 10, reserved: 3, available: 7 })
})

test('one short line holds nothing of the order, and the error names it', async () => {
  const [plenty, short] = [await h.stocked(10), await h.stocked(1)]
  const orderId = newId()
  const lines = [
    { sku: plenty, qty: 2 },
    { sku: short, qty: 2 },
    { sku: 'UNKNOWN', qty: 1 },
  ]
  await expect(h.order.reserve({ orderId, lines })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'stock_insufficient',
    details: { skus: `${short},UNKNOWN`, [`available.${short}`]: 1 },
  })
  expect(await h.level(plenty)).toMatchObject({ reserved: 0 })
  await expect(h.order.commit({ orderId })).rejects.toMatchObject({ code: 'reservation_not_found' })
})

test('safety stock is never promised', async () => {
  const sku = await h.stocked(5, { safetyStock: 3 })
  await expect(h.order.reserve({ orderId: newId(), lines: [{ sku, qty: 3 }] })).rejects.toMatchObject({
    code: 'stock_insufficient',
  })
  await h.order.reserve({ orderId: newId(), lines: [{ sku, qty: 2 }] })
})

test('500 units and 2,000 buyers: exactly 500 are sold, and the books agree', async () => {
  const sku = await h.stocked(500)
  const buyers = Array.from({ length: 2_000 }, () => newId())
  let sold = 0
  const refused = new Set<string>()
  const buy = async () => {
    for (let orderId = buyers.pop(); orderId; orderId = buyers.pop())
      await h.order.reserve({ orderId, lines: [{ sku, qty: 1 }] }).then(
        () => sold++,
        (error) => refused.add(error.code),
      )
  }
  await Promise.all(Array.from({ length: 40 }, buy))
  expect(sold).toBe(500)
  expect([...refused]).toEqual(['stock_insufficient'])
  expect(await h.level(sku)).toMatchObject({ onHand: 500, reserved: 500, available: 0 })
  expect((await h.vendor.verifyStock({ sku })).differences).toEqual([])
}, 60_000)

test('orders that want the same goods in other orders of lines never block each other', async () => {
  const [a, b] = [await h.stocked(1_000), await h.stocked(1_000)]
  const one = [
    { sku: a, qty: 1 },
    { sku: b, qty: 1 },
  ]
  const other = [...one].reverse()
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => h.order.reserve({ orderId: newId(), lines: i % 2 ? one : other })),
  )
  expect(await h.level(a)).toMatchObject({ reserved: 60 })
})

test('the same order reserving many times at once holds once', async () => {
  const sku = await h.stocked(10)
  const orderId = newId()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => h.order.reserve({ orderId, lines: [{ sku, qty: 4 }] })),
  )
  expect(new Set(answers.map((a) => a.reservation?.state))).toEqual(new Set([ReservationState.HELD]))
  expect(await h.level(sku)).toMatchObject({ reserved: 4 })
})

test('the same order reserving the last units many times at once is told that it has them', async () => {
  const sku = await h.stocked(4)
  const orderId = newId()
  const lines = [{ sku, qty: 4 }]
  await h.order.reserve({ orderId, lines })
  await h.order.release({ orderId, reason: ReleaseReason.CANCELLED })
  const answers = await Promise.all(Array.from({ length: 20 }, () => h.order.reserve({ orderId, lines })))
  expect(new Set(answers.map((a) => a.reservation?.state))).toEqual(new Set([ReservationState.HELD]))
  expect(await h.level(sku)).toMatchObject({ reserved: 4 })
})

test('the same order with other lines is refused', async () => {
  const sku = await h.stocked(10)
  const orderId = newId()
  await h.order.reserve({ orderId, lines: [{ sku, qty: 1 }] })
  await expect(h.order.reserve({ orderId, lines: [{ sku, qty: 2 }] })).rejects.toMatchObject({
    code: 'reservation_mismatch',
  })
})

test('an order whose reservation was given back may reserve again', async () => {
  const sku = await h.stocked(3)
  const orderId = newId()
  await h.order.reserve({ orderId, lines: [{ sku, qty: 2 }] })
  await h.order.release({ orderId, reason: ReleaseReason.CANCELLED })
  expect(await h.level(sku)).toMatchObject({ reserved: 0 })
  await h.order.reserve({ orderId, lines: [{ sku, qty: 3 }] })
  expect(await h.level(sku)).toMatchObject({ reserved: 3 })
})

test('a customer cannot reserve, and a nonsense request changes nothing', async () => {
  const sku = await h.stocked(5)
  const someone = h.as(await customer())
  const lines = [{ sku, qty: 1 }]
  await expect(someone.reserve({ orderId: newId(), lines })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.anyone.reserve({ orderId: newId(), lines })).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  await expect(h.order.reserve({ orderId: 'x', lines: [{ sku, qty: -1 }] })).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    code: 'request_invalid',
    details: { fields: [{ field: 'order_id' }, { field: 'lines[0].qty' }] },
  })
  await expect(h.order.reserve({ orderId: newId(), lines: [...lines, ...lines] })).rejects.toMatchObject({
    code: 'lines_duplicate',
  })
  expect(await h.level(sku)).toMatchObject({ reserved: 0 })
})
