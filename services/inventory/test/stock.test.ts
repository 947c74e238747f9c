import { unavailable } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { InventoryLowStock } from '@haat/proto/inventory/v1/events'
import { AdjustReason, MovementKind } from '@haat/proto/inventory/v1/inventory'
import { staff, vendorMember } from '@haat/testkit/tokens'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const { vendorId } = h.seller

test('anybody sees what can be sold, and nothing else', async () => {
  const sku = await h.stocked(7, { safetyStock: 2 })
  expect(await h.anyone.getStock({ sku })).toEqual({
    stock: { sku, productId: expect.any(String), vendorId, available: 5 },
  })
  await expect(h.anyone.getStock({ sku: 'UNKNOWN' })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'stock_not_found',
  })
  const { stocks } = await h.anyone.batchGetStock({ skus: ['UNKNOWN', sku] })
  expect(stocks.map((s) => s.sku)).toEqual([sku])
})

test('every change of the count is a movement, and the count is their sum', async () => {
  const sku = await h.stocked(10)
  await h.vendor.setStock({ vendorId, sku, productId: newId(), onHand: 4, note: 'recount' })
  await h.vendor.adjustStock({ vendorId, sku, delta: 3, reason: AdjustReason.RECEIVED })
  const { movements } = await h.vendor.listMovements({ sku })
  expect(movements.map((m) => [m.kind, m.delta, m.onHandAfter])).toEqual([
    [MovementKind.ADJUST, 3, 7],
    [MovementKind.COUNT, -6, 4],
    [MovementKind.COUNT, 10, 10],
  ])
  expect(movements[0]).toMatchObject({ reason: 'received', byUserId: h.seller.userId })
  expect((await h.vendor.verifyStock({ sku })).differences).toEqual([])
})

test('a row that was tampered with is found', async () => {
  const sku = await h.stocked(10)
  await sql`update inventory set quantity_on_hand = 11 where sku = ${sku}`.execute(h.service.database.db)
  expect((await h.vendor.verifyStock({ sku })).differences).toMatchObject([{ sku, onHand: 11, movementsSum: 10 }])
})

test('movements cannot be edited, not even by the service itself', async () => {
  await h.stocked(1)
  const own = h.service.database.asService
  await expect(sql`update stock_movements set delta = 0`.execute(own)).rejects.toThrow('append-only')
  await expect(sql`drop table stock_movements`.execute(own)).rejects.toThrow('must be owner')
})

test('setting stock against an old version changes nothing', async () => {
  const sku = await h.stocked(10)
  const { version } = await h.level(sku)
  const set = { vendorId, sku, productId: newId(), onHand: 3, expectedVersion: version }
  await h.vendor.setStock(set)
  await expect(h.vendor.setStock({ ...set, onHand: 9 })).rejects.toMatchObject({
    status: 'ABORTED',
    code: 'stock_version_conflict',
  })
  expect(await h.level(sku)).toMatchObject({ onHand: 3 })
})

test('the count cannot fall below what orders hold', async () => {
  const sku = await h.stocked(10)
  await h.order.reserve({ orderId: newId(), lines: [{ sku, qty: 6 }] })
  await expect(h.vendor.setStock({ vendorId, sku, productId: newId(), onHand: 5 })).rejects.toMatchObject({
    code: 'stock_below_reserved',
  })
  await expect(h.vendor.adjustStock({ vendorId, sku, delta: -5, reason: AdjustReason.LOST })).rejects.toMatchObject({
    code: 'stock_below_reserved',
  })
})

test('an adjustment with a key takes effect once, and the key belongs to one request', async () => {
  const sku = await h.stocked(10)
  const adjust = { vendorId, sku, delta: -2, reason: AdjustReason.DAMAGED, idempotencyKey: newId() }
  await Promise.all([1, 2, 3].map(() => h.vendor.adjustStock(adjust)))
  expect(await h.level(sku)).toMatchObject({ onHand: 8 })
  await expect(h.vendor.adjustStock({ ...adjust, delta: -3 })).rejects.toMatchObject({ code: 'idempotency_key_reused' })
})

test("another vendor's stock answers exactly like stock that does not exist", async () => {
  const sku = await h.stocked(10)
  const stranger = await vendorMember()
  const foreign = h.as(stranger)
  const set = (name: string) =>
    foreign
      .setStock({ vendorId: stranger.vendorId, sku: name, productId: newId(), onHand: 1, expectedVersion: 5 })
      .catch((e) => e)
  expect(
    await foreign
      .adjustStock({ vendorId: stranger.vendorId, sku, delta: 1, reason: AdjustReason.FOUND })
      .catch((e) => e.code),
  ).toBe(
    await foreign
      .adjustStock({ vendorId: stranger.vendorId, sku: 'ABSENT', delta: 1, reason: AdjustReason.FOUND })
      .catch((e) => e.code),
  )
  expect(await set(sku)).toMatchObject({ status: 'NOT_FOUND', code: 'stock_not_found' })
  await expect(foreign.setStock({ vendorId, sku, productId: newId(), onHand: 1 })).rejects.toMatchObject({
    status: 'NOT_FOUND',
  })
  expect((await foreign.listStock({})).levels).toEqual([])
  await expect(foreign.listStock({ vendorId })).rejects.toMatchObject({ status: 'NOT_FOUND' })
  expect(await h.level(sku)).toMatchObject({ onHand: 10 })
})

test('the first count of a SKU takes the product of that vendor with that variant; anything else claims nothing', async () => {
  const rival = await vendorMember()
  const asRival = h.as(rival)
  const own = h.product(vendorId, 'CLAIM-1', 'CLAIM-2')
  const theirs = h.product(rival.vendorId, 'RIVAL-1')
  const refused = { status: 'NOT_FOUND', code: 'stock_not_found' }
  for (const claim of [
    { sku: 'CLAIM-1', productId: own },
    { sku: 'CLAIM-1', productId: theirs },
    { sku: 'CLAIM-1', productId: newId() },
  ])
    await expect(asRival.setStock({ vendorId: rival.vendorId, onHand: 5, ...claim })).rejects.toMatchObject(refused)
  await expect(h.anyone.getStock({ sku: 'CLAIM-1' })).rejects.toMatchObject(refused)

  const counts = Array.from({ length: 3 }, () =>
    h.vendor.setStock({ vendorId, sku: 'CLAIM-1', productId: own, onHand: 5 }),
  )
  await Promise.all(counts)
  expect(await h.level('CLAIM-1')).toMatchObject({ onHand: 5, productId: own })
  // Staff count for the vendor that they name, not for another.
  const clerk = h.as(await staff('inventory.write'))
  const set = { sku: 'CLAIM-2', productId: own, onHand: 2 }
  await expect(clerk.setStock({ ...set, vendorId: rival.vendorId })).rejects.toMatchObject(refused)
  expect((await clerk.setStock({ ...set, vendorId })).level).toMatchObject({ vendorId, onHand: 2 })
})

test('while catalog is away a first count is refused and a recount goes on', async () => {
  const sku = await h.stocked(3)
  const away = unavailable('service_unavailable', 'catalog is away')
  h.failCatalog(away)
  const set = { vendorId, productId: newId(), onHand: 4 }
  await expect(h.vendor.setStock({ ...set, sku: 'AWAY-1' })).rejects.toMatchObject({ status: 'UNAVAILABLE' })
  expect((await h.vendor.setStock({ ...set, sku })).level).toMatchObject({ onHand: 4 })
  h.failCatalog(undefined)
})

test('a member without the permission may look but not change', async () => {
  const sku = await h.stocked(10)
  const clerk = h.as(await vendorMember(vendorId, ['orders.read']))
  expect((await clerk.listStock({ skus: [sku] })).levels).toHaveLength(1)
  await expect(clerk.setStock({ vendorId, sku, productId: newId(), onHand: 1 })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})

test('staff with the permission see every vendor', async () => {
  const sku = await h.stocked(1)
  const support = h.as(await staff('inventory.read'))
  expect((await support.listStock({ vendorId, skus: [sku] })).levels).toHaveLength(1)
  expect((await support.listStock({ skus: [sku] })).levels).toHaveLength(1)
})

test('the vendor is warned once when the level falls to the reorder point', async () => {
  const sku = await h.stocked(6, { reorderPoint: 5 })
  for (let i = 0; i < 3; i++) await h.order.reserve({ orderId: newId(), lines: [{ sku, qty: 1 }] })
  const warnings = (await h.service.emitted(InventoryLowStock)).filter((e) => e.data.sku === sku)
  expect(warnings).toMatchObject([{ data: { onHand: 6, reserved: 1, available: 5, reorderPoint: 5 } }])
  expect((await h.vendor.listLowStock({ pageSize: 100 })).levels.map((l) => l.sku)).toContain(sku)
})

test('a list is paged by opaque tokens without gaps or repeats, and forged tokens are refused', async () => {
  const mine = await vendorMember()
  const vendor = h.as(mine)
  const skus = Array.from({ length: 25 }, (_, i) => `P-${mine.vendorId.slice(-6)}-${i}`)
  const productId = h.product(mine.vendorId, ...skus)
  for (const [onHand, sku] of skus.entries()) await vendor.setStock({ vendorId: mine.vendorId, sku, productId, onHand })
  const seen: string[] = []
  let pageToken = ''
  do {
    const page = await vendor.listStock({ pageSize: 10, pageToken })
    seen.push(...page.levels.map((l) => l.sku))
    pageToken = page.nextPageToken
  } while (pageToken)
  expect(seen).toHaveLength(25)
  expect(new Set(seen).size).toBe(25)
  await expect(vendor.listStock({ pageToken: 'nonsense' })).rejects.toMatchObject({ code: 'page_token_invalid' })
})
