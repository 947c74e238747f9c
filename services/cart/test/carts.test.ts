import { newId } from '@haat/kit/id'
import { customer } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { tokenHash } from '../src/db/carts.ts'
import { bdt, startHarness } from './harness.ts'

const h = await startHarness()
const missing = { status: 'NOT_FOUND', code: 'cart_not_found' }

test('a cart keeps what was added, with the price of that moment', async () => {
  const me = h.as(await customer())
  const sku = h.sells(1_000)
  const { cart } = await me.addItem({ sku, qty: 2 })
  expect(cart).toMatchObject({ currency: 'BDT', itemCount: 2, subtotal: bdt(2_000), couponCodes: [] })
  expect(cart?.cartToken).toBeUndefined()
  const { title, productId, vendorId } = h.world.variants.get(sku)!
  const line = { sku, title, productId, vendorId, image: '/card.webp', optionValues: { 'Size (cm.)': 'M' } }
  expect(cart?.items).toEqual([{ ...line, qty: 2, priceAtAdd: bdt(1_000) }])
  h.sells(1_200, { sku })
  expect((await me.getCart({})).cart).toEqual(cart)
  expect((await me.addItem({ sku, qty: 1 })).cart?.items).toMatchObject([{ qty: 3, priceAtAdd: bdt(1_200) }])
})

test('a person has one cart, however many first requests come at once', async () => {
  const me = h.as(await customer())
  const sku = h.sells(100)
  const answers = await Promise.all(Array.from({ length: 8 }, () => me.addItem({ sku, qty: 1 })))
  expect(new Set(answers.map((answer) => answer.cart?.id)).size).toBe(1)
  expect((await me.getCart({})).cart).toMatchObject({ id: answers[0]!.cart!.id, itemCount: 8 })
})

test('a person who only looks has an empty cart, and nothing is stored', async () => {
  const { userId, token } = await customer()
  expect((await h.as({ token }).getCart({})).cart).toMatchObject({ items: [], itemCount: 0 })
  expect(await h.carts.countDocuments({ userId })).toBe(0)
})

test('an anonymous cart answers its token once, only its hash is stored, and only the token opens it', async () => {
  const { cart } = await h.anyone.addItem({ sku: h.sells(100), qty: 1 })
  const cartToken = cart!.cartToken!
  expect(cartToken).toHaveLength(43)
  const again = await h.anyone.getCart({ cartToken })
  expect(again.cart).toEqual({ ...cart, cartToken: undefined })
  const stored = JSON.stringify(await h.carts.find({ _id: cart!.id }).toArray(), (_, v) =>
    typeof v === 'bigint' ? `${v}` : v,
  )
  expect(stored).toContain(tokenHash(cartToken))
  expect(stored).not.toContain(cartToken)
  const { cart: empty } = await h.anyone.getCart({})
  expect(empty).toMatchObject({ items: [], currency: '', itemCount: 0, cartToken: expect.any(String) })
  expect(empty?.id).not.toBe(cart?.id)
})

test('an unknown token and no token at all open nothing', async () => {
  const cartToken = 'x'.repeat(43)
  const sku = h.sells(100)
  await expect(h.anyone.getCart({ cartToken })).rejects.toMatchObject(missing)
  await expect(h.anyone.addItem({ cartToken, sku, qty: 1 })).rejects.toMatchObject(missing)
  for (const named of [{ cartToken }, {}]) {
    await expect(h.anyone.updateItem({ ...named, sku, qty: 1 })).rejects.toMatchObject(missing)
    await expect(h.anyone.removeItem({ ...named, sku })).rejects.toMatchObject(missing)
    await expect(h.anyone.clearCart(named)).rejects.toMatchObject(missing)
    await expect(h.anyone.applyCoupon({ ...named, code: 'ABC' })).rejects.toMatchObject(missing)
    await expect(h.anyone.removeCoupon(named)).rejects.toMatchObject(missing)
    await expect(h.anyone.summarize(named)).rejects.toMatchObject(missing)
  }
})

test("a signed-in caller's token is ignored: nobody reaches another cart by it", async () => {
  const me = h.as(await customer())
  const { cart } = await h.anyone.addItem({ sku: h.sells(100), qty: 1 })
  const mine = await me.getCart({ cartToken: cart!.cartToken! })
  expect(mine.cart).toMatchObject({ items: [] })
  await me.clearCart({ cartToken: cart!.cartToken! })
  expect((await h.anyone.getCart({ cartToken: cart!.cartToken! })).cart?.itemCount).toBe(1)
})

test('what cannot be sold is not added, and leaves no cart behind', async () => {
  const before = await h.carts.countDocuments()
  const off = h.sells(100, { sellable: false })
  const scarce = h.sells(100, { available: 3 })
  await expect(h.anyone.addItem({ sku: 'UNKNOWN', qty: 1 })).rejects.toMatchObject({ code: 'variant_not_found' })
  await expect(h.anyone.addItem({ sku: off, qty: 1 })).rejects.toMatchObject({ code: 'variant_unavailable' })
  await expect(h.anyone.addItem({ sku: scarce, qty: 4 })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'stock_insufficient',
    details: { available: 3 },
  })
  await expect(h.anyone.addItem({ sku: scarce, qty: 0 })).rejects.toMatchObject({ code: 'request_invalid' })
  await expect(h.anyone.addItem({ sku: '$gt', qty: 1 })).rejects.toMatchObject({ code: 'request_invalid' })
  expect(await h.carts.countDocuments()).toBe(before)
})

test('limits hold for what is in the cart already', async () => {
  const me = h.as(await customer())
  const scarce = h.sells(100, { available: 3 })
  const plenty = h.sells(100, { available: 99_999 })
  await me.addItem({ sku: scarce, qty: 2 })
  await expect(me.addItem({ sku: scarce, qty: 2 })).rejects.toMatchObject({ code: 'stock_insufficient' })
  await me.addItem({ sku: plenty, qty: 10_000 })
  await expect(me.addItem({ sku: plenty, qty: 1 })).rejects.toMatchObject({ code: 'qty_invalid' })
  const dollars = h.sells(0, { price: { currency: 'USD', minor: 5n } })
  await expect(me.addItem({ sku: dollars, qty: 1 })).rejects.toMatchObject({ code: 'currency_mismatch' })
  expect((await me.getCart({})).cart?.items).toMatchObject([
    { sku: scarce, qty: 2 },
    { sku: plenty, qty: 10_000 },
  ])
})

test('a quantity is set to what there is, and a line that is not there is refused', async () => {
  const me = h.as(await customer())
  const sku = h.sells(100, { available: 5 })
  await expect(me.updateItem({ sku, qty: 1 })).rejects.toMatchObject({ code: 'cart_item_not_found' })
  await me.addItem({ sku, qty: 2 })
  expect((await me.updateItem({ sku, qty: 5 })).cart?.itemCount).toBe(5)
  await expect(me.updateItem({ sku, qty: 6 })).rejects.toMatchObject({
    code: 'stock_insufficient',
    details: { available: 5 },
  })
  expect((await me.getCart({})).cart?.itemCount).toBe(5)
})

test('removing and clearing bear repetition, and an empty cart has no currency', async () => {
  const me = h.as(await customer())
  const [a, b] = [h.sells(100), h.sells(100)]
  await me.addItem({ sku: a, qty: 1 })
  await me.addItem({ sku: b, qty: 1 })
  for (let i = 0; i < 2; i++) expect((await me.removeItem({ sku: a })).cart?.items).toMatchObject([{ sku: b }])
  for (let i = 0; i < 2; i++)
    expect((await me.clearCart({})).cart).toMatchObject({ items: [], currency: '', itemCount: 0, subtotal: undefined })
})

test('20 additions at the same moment all count', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const skus = [h.sells(100), h.sells(100)]
  await Promise.all(Array.from({ length: 20 }, (_, i) => me.addItem({ sku: skus[i % 2]!, qty: 1 })))
  const { cart } = await me.getCart({})
  expect(cart?.itemCount).toBe(20)
  const stored = await h.carts.findOne({ userId })
  expect(await h.trail.countDocuments({ cartId: stored!._id, type: 'item_added' })).toBe(20)
})

test('a coupon is kept after a trial, once, in upper case', async () => {
  const me = h.as(await customer())
  h.world.coupons.set('SAVE10', { bps: 1_000 })
  await expect(me.applyCoupon({ code: 'save10' })).rejects.toMatchObject({ code: 'cart_empty' })
  await me.addItem({ sku: h.sells(1_000), qty: 3 })
  const { cart } = await me.applyCoupon({ code: 'save10' })
  expect(cart?.couponCodes).toEqual(['SAVE10'])
  const trials = h.callsTo('quote').length
  expect((await me.applyCoupon({ code: 'SAVE10' })).cart?.couponCodes).toEqual(['SAVE10'])
  expect(h.callsTo('quote')).toHaveLength(trials)
  expect(h.callsTo('quote').at(-1)).toMatchObject({
    codes: ['SAVE10'],
    lines: [{ amount: bdt(3_000) }],
    deliveries: [],
  })
  expect((await me.removeCoupon({ code: 'Save10' })).cart?.couponCodes).toEqual([])
})

test('a coupon that does not apply is refused with its reason; five are enough', async () => {
  const me = h.as(await customer())
  await me.addItem({ sku: h.sells(1_000), qty: 1 })
  h.world.coupons.set('OLD', { reason: 'coupon_expired' })
  const refused = (code: string, reason: string) =>
    expect(me.applyCoupon({ code })).rejects.toMatchObject({
      status: 'FAILED_PRECONDITION',
      code: 'coupon_invalid',
      details: { reason },
    })
  await refused('OLD', 'coupon_expired')
  await refused('NEVER', 'coupon_not_found')
  for (let i = 0; i < 6; i++) h.world.coupons.set(`C-${i}`, { bps: 100 })
  for (let i = 0; i < 5; i++) await me.applyCoupon({ code: `C-${i}` })
  await refused('C-5', 'coupon_too_many')
  expect((await me.removeCoupon({})).cart?.couponCodes).toEqual([])
})

test('a reorder adds what can be had at the prices of now and tells the rest', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const [fine, scarce, off] = [h.sells(500), h.sells(500, { available: 1 }), h.sells(500, { sellable: false })]
  const item = (sku: string, qty: number) => ({ sku, title: sku, qty })
  const vendorOrders = [{ items: [item(fine, 2), item(scarce, 3)] }, { items: [item(off, 1), item('UNKNOWN', 1)] }]
  h.world.orders.set('HB-1', { orderNo: 'HB-1', userId, vendorOrders } as never)
  const { cart, skipped } = await me.reorderFrom({ orderNo: 'HB-1' })
  expect(cart?.items).toMatchObject([
    { sku: fine, qty: 2, priceAtAdd: bdt(500) },
    { sku: scarce, qty: 1 },
  ])
  expect(skipped.map(({ sku, qty, reason }) => [sku, qty, reason])).toEqual([
    ['UNKNOWN', 1, 'variant_unavailable'],
    [scarce, 2, 'stock_insufficient'],
    [off, 1, 'variant_unavailable'],
  ])
})

test("another person's order cannot be reordered, even when order answers it", async () => {
  h.world.orders.set('HB-2', { orderNo: 'HB-2', userId: newId(), vendorOrders: [] } as never)
  const me = h.as(await customer())
  const gone = { status: 'NOT_FOUND', code: 'order_not_found' }
  await expect(me.reorderFrom({ orderNo: 'HB-2' })).rejects.toMatchObject(gone)
  await expect(me.reorderFrom({ orderNo: 'HB-3' })).rejects.toMatchObject(gone)
  await expect(h.anyone.reorderFrom({ orderNo: 'HB-2' })).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})
