import { newId } from '@haat/kit/id'
import { Cart, ChangeKind } from '@haat/proto/cart/v1/cart'
import { customer } from '@haat/testkit/tokens'
import { Redis } from 'ioredis'
import { beforeEach, expect, test } from 'vitest'
import { BD, bdt, startHarness } from './harness.ts'

const h = await startHarness()
beforeEach(() => {
  h.world.broken.clear()
  h.world.calls.length = 0
  Object.assign(h.world.tax, { bps: 0, included: false })
})

/** A person with two vendors' goods in the cart. */
async function shopper() {
  const { userId, token } = await customer()
  const [v1, v2] = [newId(), newId()].sort() as [string, string]
  const [a, b] = [h.sells(1_000, { vendorId: v1 }), h.sells(2_000, { vendorId: v2, weightGrams: 700 })]
  h.delivers(v1, ['slow', 60], ['fast', 120])
  h.delivers(v2, ['std', 90])
  const me = h.as({ token })
  await me.addItem({ sku: a, qty: 2 })
  await me.addItem({ sku: b, qty: 1 })
  return { me, userId, v1, v2, a, b }
}

test('a summary prices lines, delivery, coupons and tax on top, and adds up', async () => {
  const { me, v1, v2, a, b } = await shopper()
  h.world.coupons.set('TEN', { bps: 1_000 })
  await me.applyCoupon({ code: 'TEN' })
  h.world.tax.bps = 1_500
  const { summary } = await me.summarize({ destination: BD, deliveries: [{ vendorId: v1, optionId: 'fast' }] })
  expect(summary).toMatchObject({
    blocking: false,
    changes: [],
    coupons: [{ code: 'TEN', accepted: true, discount: bdt(400) }],
  })
  expect(summary?.totals).toEqual({
    subtotal: bdt(4_000),
    discount: bdt(400),
    shipping: bdt(210),
    tax: bdt(572),
    total: bdt(4_382),
    pricesIncludeTax: false,
  })
  expect(summary?.groups.map((group) => [group.vendorId, group.vendorName, group.delivery?.optionId])).toEqual([
    [v1, `Shop ${v1.slice(-4)}`, 'fast'],
    [v2, `Shop ${v2.slice(-4)}`, 'std'],
  ])
  expect(summary?.groups[0]?.deliveryOptions.map((option) => option.optionId)).toEqual(['slow', 'fast'])
  expect(summary?.groups[0]?.lines[0]).toMatchObject({
    lineId: a,
    qty: 2,
    unitPrice: bdt(1_000),
    subtotal: bdt(2_000),
    platformFundedDiscount: bdt(200),
    tax: bdt(270),
    total: bdt(2_070),
    available: 100,
  })
  expect(h.callsTo('getRates').at(-1)).toMatchObject({
    destination: BD,
    parcels: [
      { vendorId: v1, weightGrams: 200, total: bdt(2_000), itemCount: 2 },
      { vendorId: v2, weightGrams: 700, total: bdt(2_000), itemCount: 1 },
    ],
  })
  expect(h.callsTo('quoteTax').at(-1)).toMatchObject({
    country: 'BD',
    lines: [
      { lineId: a, taxClass: 'standard', amount: bdt(1_800) },
      { lineId: b, taxClass: 'standard', amount: bdt(1_800) },
      { lineId: `delivery:${v1}`, taxClass: 'shipping', amount: bdt(120) },
      { lineId: `delivery:${v2}`, taxClass: 'shipping', amount: bdt(90) },
    ],
  })
})

test('tax inside the prices changes no total', async () => {
  const { me } = await shopper()
  Object.assign(h.world.tax, { bps: 1_000, included: true })
  const { summary } = await me.summarize({ destination: BD })
  expect(summary?.totals).toMatchObject({ tax: bdt(415), total: bdt(4_150), pricesIncludeTax: true })
})

test('the price of now counts, and the difference is told', async () => {
  const { me, a, v1 } = await shopper()
  h.sells(1_100, { sku: a, vendorId: v1 })
  const { summary } = await me.summarize({ destination: BD })
  expect(summary?.totals?.subtotal).toEqual(bdt(4_200))
  expect(summary).toMatchObject({
    blocking: false,
    changes: [{ kind: ChangeKind.PRICE_CHANGED, sku: a, oldPrice: bdt(1_000), newPrice: bdt(1_100) }],
  })
})

test('a price in a poisoned cache is never used', async () => {
  const { me, userId } = await shopper()
  const redis = new Redis(h.hop.url)
  const key = `cart:user:${userId}`
  const bytes = await redis.hgetBuffer(key, 'b')
  const forged = Cart.decode(bytes!)
  forged.items = forged.items.map((item) => ({ ...item, qty: 1, priceAtAdd: bdt(1) }))
  await redis.hset(key, 'b', Buffer.from(Cart.encode(forged).finish()))
  redis.disconnect()
  const { summary } = await me.summarize({})
  expect(summary?.totals?.subtotal).toEqual(bdt(4_000))
  expect(summary?.changes.some((change) => change.kind === ChangeKind.PRICE_CHANGED)).toBe(false)
})

test('what is gone, sold out or scarce stands in the way and counts only as far as it can be had', async () => {
  const { me, a, b, v2 } = await shopper()
  const c = h.sells(500, { vendorId: v2 })
  await me.addItem({ sku: c, qty: 5 })
  h.world.variants.get(a)!.sellable = false
  h.world.stock.set(b, 0)
  h.world.stock.set(c, 3)
  const { summary } = await me.summarize({ destination: BD })
  expect(summary?.changes).toMatchObject([
    { kind: ChangeKind.GONE, sku: a },
    { kind: ChangeKind.OUT_OF_STOCK, sku: b },
    { kind: ChangeKind.QUANTITY_REDUCED, sku: c, oldQty: 5, newQty: 3 },
  ])
  expect(summary).toMatchObject({
    blocking: true,
    totals: { subtotal: bdt(1_500), shipping: bdt(90), total: bdt(1_590) },
  })
  expect(summary?.groups.flatMap((group) => group.lines.map((line) => [line.sku, line.qty]))).toEqual([
    [a, 0],
    [b, 0],
    [c, 3],
  ])
  expect(h.callsTo('getRates').at(-1)).toMatchObject({ parcels: [{ vendorId: v2, itemCount: 3 }] })
})

test('without a destination there is no delivery and no tax, and delivery is required', async () => {
  const { me, v1, v2 } = await shopper()
  const { summary } = await me.summarize({})
  expect(summary?.changes).toMatchObject([
    { kind: ChangeKind.DELIVERY_REQUIRED, vendorId: v1 },
    { kind: ChangeKind.DELIVERY_REQUIRED, vendorId: v2 },
  ])
  expect(summary).toMatchObject({ blocking: true, totals: { shipping: bdt(0), tax: bdt(0), total: bdt(4_000) } })
  expect(h.callsTo('getRates')).toEqual([])
  expect(h.callsTo('quoteTax')).toEqual([])
})

test('an option that is not offered is not replaced by another one', async () => {
  const { me, v1 } = await shopper()
  const { summary } = await me.summarize({ destination: BD, deliveries: [{ vendorId: v1, optionId: 'drone' }] })
  expect(summary?.changes).toMatchObject([{ kind: ChangeKind.DELIVERY_REQUIRED, vendorId: v1 }])
  expect(summary?.groups[0]?.delivery).toBeUndefined()
  const twice = [
    { vendorId: v1, optionId: 'slow' },
    { vendorId: v1, optionId: 'fast' },
  ]
  await expect(me.summarize({ destination: BD, deliveries: twice })).rejects.toMatchObject({
    code: 'deliveries_duplicate',
  })
})

test('a coupon that no longer applies stands in the way until it is removed', async () => {
  const { me } = await shopper()
  h.world.coupons.set('GONE-SOON', { bps: 500 })
  await me.applyCoupon({ code: 'GONE-SOON' })
  h.world.coupons.set('GONE-SOON', { reason: 'coupon_expired' })
  const { summary } = await me.summarize({ destination: BD })
  expect(summary).toMatchObject({
    blocking: true,
    totals: { discount: bdt(0) },
    coupons: [{ code: 'GONE-SOON', accepted: false, reason: 'coupon_expired' }],
    changes: [{ kind: ChangeKind.COUPON_INVALID, code: 'GONE-SOON', reason: 'coupon_expired' }],
  })
  await me.removeCoupon({})
  expect((await me.summarize({ destination: BD })).summary?.blocking).toBe(false)
})

test('an empty cart is no error and cannot be ordered', async () => {
  const { summary } = await h.as(await customer()).summarize({ destination: BD })
  expect(summary).toMatchObject({ blocking: true, groups: [], changes: [], totals: { total: bdt(0) } })
  expect(h.world.calls).toEqual([])
})

test('only names may be missing: without vendor a summary goes on, without any other neighbour it fails', async () => {
  const { me } = await shopper()
  h.world.coupons.set('TEN', { bps: 1_000 })
  await me.applyCoupon({ code: 'TEN' })
  const whole = (await me.summarize({ destination: BD })).summary
  h.world.broken.add('batchGetVendors')
  const nameless = (await me.summarize({ destination: BD })).summary
  expect(nameless?.groups.map((group) => group.vendorName)).toEqual(['', ''])
  expect(nameless).toMatchObject({ totals: whole?.totals, revision: whole?.revision, blocking: false })
  for (const method of ['batchGetVariants', 'batchGetStock', 'getRates', 'quote', 'quoteTax']) {
    h.world.broken.clear()
    h.world.broken.add(method)
    await expect(me.summarize({ destination: BD })).rejects.toMatchObject({ status: 'INTERNAL' })
  }
})

test('the revision is the same for the same cart, for the person and for checkout, and another after any change', async () => {
  const { me, userId, v1, b, a } = await shopper()
  const mine = async (deliveries: { vendorId: string; optionId: string }[] = []) =>
    (await me.summarize({ destination: BD, deliveries })).summary!.revision
  const first = await mine()
  expect(await mine([{ vendorId: v1, optionId: 'slow' }])).toBe(first)
  expect((await h.order.summarizeForUser({ userId, destination: BD })).summary?.revision).toBe(first)
  const seen = new Set([first, await mine([{ vendorId: v1, optionId: 'fast' }])])
  await me.updateItem({ sku: b, qty: 2 })
  seen.add(await mine())
  h.sells(999, { sku: a, vendorId: v1 })
  seen.add(await mine())
  h.world.tax.bps = 100
  seen.add(await mine())
  expect(seen.size).toBe(5)
})

test("checkout reads a person's cart; people and unknown ones get nothing", async () => {
  const { me, userId } = await shopper()
  const { summary } = await h.order.summarizeForUser({ userId, destination: BD })
  expect(summary?.totals?.subtotal).toEqual(bdt(4_000))
  expect(h.callsTo('quote')).toEqual([])
  await expect(h.order.summarizeForUser({ userId: newId() })).rejects.toMatchObject({ code: 'cart_not_found' })
  await expect(me.summarizeForUser({ userId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('a summary changes nothing', async () => {
  const { me, userId } = await shopper()
  const before = await h.carts.findOne({ userId })
  await me.summarize({ destination: BD })
  expect(await h.carts.findOne({ userId })).toEqual(before)
})

test('a summary stores nothing, not even a cart for somebody who has none yet', async () => {
  const { userId, token } = await customer()
  const { summary } = await h.as({ token }).summarize({ destination: BD })
  expect(summary).toMatchObject({ blocking: true, groups: [] })
  expect(await h.carts.countDocuments({ userId })).toBe(0)
})
