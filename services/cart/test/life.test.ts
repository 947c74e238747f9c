import { newId } from '@haat/kit/id'
import { Cart } from '@haat/proto/cart/v1/cart'
import { CartAbandoned, CartCheckedOut } from '@haat/proto/cart/v1/events'
import { ProductArchived, ProductUpdated } from '@haat/proto/catalog/v1/events'
import { OrderCreated } from '@haat/proto/order/v1/events'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { eventually } from '@haat/testkit/eventually'
import { customer } from '@haat/testkit/tokens'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { openCartCache } from '../src/db/cache.ts'
import { BD, bdt, startHarness } from './harness.ts'

const h = await startHarness()
afterEach(() => {
  h.setHours(0)
  h.hop.mend()
})
const sweep = () => h.service.service.runJob('sweep-carts')
const quantities = (cart: { items: { sku: string; qty: number }[] } | undefined) =>
  cart?.items.map((i) => [i.sku, i.qty])

test('order.created takes what was ordered out of the cart and announces it, once', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const [a, b] = [h.sells(100), h.sells(200)]
  h.world.coupons.set('USED', { bps: 100 })
  h.world.coupons.set('KEPT', { bps: 100 })
  await me.addItem({ sku: a, qty: 5 })
  const { cart } = await me.addItem({ sku: b, qty: 1 })
  await me.applyCoupon({ code: 'USED' })
  await me.applyCoupon({ code: 'KEPT' })
  const order = OrderCreated.fromPartial({
    orderId: newId(),
    orderNo: 'HB-9',
    userId,
    cartId: cart!.id,
    couponCodes: ['USED'],
    amounts: { total: bdt(500) },
    placedAt: new Date(),
    vendorOrders: [
      {
        vendorId: newId(),
        lines: [
          { sku: a, qty: 3, unitPrice: bdt(100) },
          { sku: b, qty: 1, unitPrice: bdt(200) },
        ],
      },
    ],
  })
  const envelope = await h.service.publish(OrderCreated, order)
  await h.service.publishRaw(envelope)
  await h.service.publish(OrderCreated, order)
  const after = (await me.getCart({})).cart
  expect(quantities(after)).toEqual([[a, 2]])
  expect(after?.couponCodes).toEqual(['KEPT'])
  const told = (await h.service.emitted(CartCheckedOut)).filter((event) => event.data.cartId === cart!.id)
  expect(told).toHaveLength(1)
  expect(told[0]?.data).toMatchObject({ userId, orderId: order.orderId, orderNo: 'HB-9', total: bdt(500) })
  expect(quantities(told[0]?.data)).toEqual([
    [a, 3],
    [b, 1],
  ])
  expect(told[0]?.envelope.aggregate).toMatchObject({ type: 'cart', id: cart!.id })
})

test('goods put in anew before the cart hears of their order stay in it', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const [again, kept] = [h.sells(100), h.sells(100)]
  await me.addItem({ sku: again, qty: 2 })
  await me.addItem({ sku: kept, qty: 2 })
  const { summary } = await h.order.summarizeForUser({ userId, destination: BD })
  await me.removeItem({ sku: again })
  await me.addItem({ sku: again, qty: 2 })
  const { cart } = await me.addItem({ sku: kept, qty: 1 })
  const lines = [again, kept].map((sku) => ({ sku, qty: 2, unitPrice: bdt(100) }))
  const { cartVersion } = summary!
  const order = {
    orderId: newId(),
    userId,
    cartId: cart!.id,
    cartVersion,
    vendorOrders: [{ vendorId: newId(), lines }],
  }
  await h.service.publish(OrderCreated, OrderCreated.fromPartial(order))
  expect(Object.fromEntries(quantities((await me.getCart({})).cart)!)).toEqual({ [again]: 2, [kept]: 1 })
})

test("an order that names another person's cart, or none that is left, changes nothing", async () => {
  const me = h.as(await customer())
  const sku = h.sells(100)
  const { cart } = await me.addItem({ sku, qty: 1 })
  const vendorOrders = [{ vendorId: newId(), lines: [{ sku, qty: 1, unitPrice: bdt(100) }] }]
  for (const cartId of [cart!.id, newId()])
    await h.service.publish(
      OrderCreated,
      OrderCreated.fromPartial({ orderId: newId(), userId: newId(), cartId, vendorOrders }),
    )
  expect((await me.getCart({})).cart?.itemCount).toBe(1)
})

test('lines of a product that cannot be sold any more leave every cart; others stay', async () => {
  const [one, other] = [h.as(await customer()), h.as(await customer())]
  const [dead, alive] = [h.sells(100), h.sells(100)]
  for (const who of [one, other]) await who.addItem({ sku: dead, qty: 1 })
  await one.addItem({ sku: alive, qty: 1 })
  h.world.variants.get(dead)!.sellable = false
  const skus = [dead, alive]
  await h.service.publish(
    ProductUpdated,
    ProductUpdated.fromPartial({ productId: newId(), skus, sellableSkus: [alive] }),
  )
  expect(quantities((await one.getCart({})).cart)).toEqual([[alive, 1]])
  expect((await other.getCart({})).cart).toMatchObject({ items: [], currency: '' })
  await h.service.publish(ProductArchived, ProductArchived.fromPartial({ productId: newId(), skus: [alive] }))
  expect((await one.getCart({})).cart?.items).toEqual([])
})

test('an old event does not drop a line that is on sale again', async () => {
  const me = h.as(await customer())
  const sku = h.sells(100)
  await me.addItem({ sku, qty: 1 })
  await h.service.publish(
    ProductUpdated,
    ProductUpdated.fromPartial({ productId: newId(), skus: [sku], sellableSkus: [] }),
  )
  expect((await me.getCart({})).cart?.itemCount).toBe(1)
})

test('user.forgotten leaves nothing of the person', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const { cart } = await me.addItem({ sku: h.sells(100), qty: 1 })
  expect(await h.trail.countDocuments({ cartId: cart!.id })).toBe(1)
  await h.service.publish(UserForgotten, UserForgotten.fromPartial({ userId, forgottenAt: new Date() }))
  expect(await h.carts.countDocuments({ $or: [{ userId }, { _id: cart!.id }] })).toBe(0)
  expect(await h.trail.countDocuments({ cartId: cart!.id })).toBe(0)
  const again = (await me.getCart({})).cart
  expect(again?.items).toEqual([])
  expect(again?.id).not.toBe(cart!.id)
})

test('an abandoned cart is told once per pause, with what is in it', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const sku = h.sells(100)
  const { cart } = await me.addItem({ sku, qty: 3 })
  const told = async () => (await h.service.emitted(CartAbandoned)).filter((event) => event.data.cartId === cart!.id)
  await sweep()
  expect(await told()).toEqual([])
  h.setHours(25)
  await Promise.all([sweep(), sweep()])
  expect(await told()).toMatchObject([
    { data: { userId, subtotal: bdt(300), items: [{ sku, qty: 3 }], lastTouchedAt: expect.any(Date) } },
  ])
  expect((await me.getCart({})).cart?.itemCount).toBe(3)
  await me.updateItem({ sku, qty: 1 })
  h.setHours(51)
  await sweep()
  expect(await told()).toHaveLength(2)
})

test('an empty cart is never abandoned', async () => {
  const me = h.as(await customer())
  const sku = h.sells(100)
  const { cart } = await me.addItem({ sku, qty: 1 })
  await me.removeItem({ sku })
  h.setHours(25)
  await sweep()
  expect((await h.service.emitted(CartAbandoned)).filter((event) => event.data.cartId === cart!.id)).toEqual([])
})

test('a cart lives its days after the last change: then the token opens nothing and a person begins anew', async () => {
  const me = h.as(await customer())
  const sku = h.sells(100)
  const { cart: mine } = await me.addItem({ sku, qty: 1 })
  const { cart: theirs } = await h.anyone.addItem({ sku, qty: 1 })
  const cartToken = theirs!.cartToken!
  h.setHours(24 * 29)
  await h.anyone.updateItem({ cartToken, sku, qty: 2 })
  h.setHours(24 * 31)
  // The cache forgets within its own time limit; here a minute of real time has not passed.
  const redis = new Redis(h.hop.url)
  const owner = (await h.carts.findOne({ _id: mine!.id }))!.owner
  await redis.del(`cart:${owner}`)
  redis.disconnect()
  const begun = (await me.getCart({})).cart
  expect(begun).toMatchObject({ items: [] })
  expect(begun?.id).not.toBe(mine?.id)
  expect((await h.anyone.updateItem({ cartToken, sku, qty: 3 })).cart?.itemCount).toBe(3)
  h.setHours(24 * 62)
  await expect(h.anyone.summarize({ cartToken })).rejects.toMatchObject({ code: 'cart_not_found' })
  await sweep()
  await h.service.emitted(CartAbandoned)
  await sweep()
  expect(await h.carts.countDocuments({ _id: theirs!.id })).toBe(0)
  expect(await h.trail.countDocuments({ cartId: theirs!.id })).toBe(0)
})

test('a Redis that vanishes loses nothing and stops nothing', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const sku = h.sells(100)
  await me.addItem({ sku, qty: 1 })
  h.hop.cut()
  expect((await me.getCart({})).cart?.itemCount).toBe(1)
  await me.addItem({ sku, qty: 1 })
  expect((await me.getCart({})).cart?.itemCount).toBe(2)
  const { cart } = await h.anyone.addItem({ sku, qty: 4 })
  expect(quantities((await me.mergeCart({ cartToken: cart!.cartToken! })).cart)).toEqual([[sku, 6]])
  h.hop.mend()
  // Back, and holding the cart as it was before; then as if it had lost all it knew.
  expect((await me.getCart({})).cart?.itemCount).toBe(6)
  const redis = new Redis(h.hop.url)
  await redis.del(`cart:user:${userId}`)
  expect((await me.getCart({})).cart?.itemCount).toBe(6)
  await me.addItem({ sku, qty: 1 })
  await eventually(async () => {
    await me.getCart({})
    expect(await redis.hget(`cart:user:${userId}`, 'v')).not.toBeNull()
  })
  redis.disconnect()
  expect((await me.getCart({})).cart?.itemCount).toBe(7)
})

test('GetCart comes from Redis, and a reader that was overtaken never puts an old cart back', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const sku = h.sells(100)
  for (let round = 0; round < 10; round++) {
    const [added] = await Promise.all([me.addItem({ sku, qty: 1 }), me.getCart({}), me.getCart({})])
    expect((await me.getCart({})).cart).toEqual(added.cart)
  }
  // The document is changed behind the cache's back: the answer shows where it comes from.
  await h.carts.updateOne({ userId }, { $set: { items: [] } })
  expect((await me.getCart({})).cart?.itemCount).toBe(10)
})

test('a process that dies in the middle of a change leaves no old cart in Redis', async () => {
  const redis = new Redis(h.hop.url)
  const cache = openCartCache(redis, 60)
  const owner = `user:${newId()}`
  const cart = (itemCount: number) => Cart.fromPartial({ itemCount })
  await cache.put(owner, 1, cart(1), 60_000)
  expect((await cache.find(owner))?.itemCount).toBe(1)
  // It was about to write version 2. A reader who still saw version 1 comes late, one who sees version 2 does not.
  await cache.drop(owner, 1)
  await cache.put(owner, 1, cart(1), 60_000)
  expect(await cache.find(owner)).toBeUndefined()
  await cache.put(owner, 2, cart(2), 60_000)
  await cache.drop(owner, 1)
  expect((await cache.find(owner))?.itemCount).toBe(2)
  redis.disconnect()
})

test('a restart keeps every cart, and needs no Redis', async () => {
  const me = await customer()
  const sku = h.sells(100)
  const { cart } = await h.as(me).addItem({ sku, qty: 2 })
  h.hop.cut()
  await h.service.restart()
  expect((await h.as(me).getCart({})).cart).toEqual(cart)
})
