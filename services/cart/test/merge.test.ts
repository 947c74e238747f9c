import { customer } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { mergingOwner, tokenHash } from '../src/db/carts.ts'
import { startHarness } from './harness.ts'

const h = await startHarness()
const anonymous = async (...wishes: [sku: string, qty: number][]) => {
  const { cart } = await h.anyone.getCart({})
  const cartToken = cart!.cartToken!
  for (const [sku, qty] of wishes) await h.anyone.addItem({ cartToken, sku, qty })
  return { id: cart!.id, cartToken }
}
const quantities = (cart: { items: { sku: string; qty: number }[] } | undefined) =>
  cart?.items.map((i) => [i.sku, i.qty])

test('at login the anonymous cart moves over, its token is used up, and a repeat changes nothing', async () => {
  const me = h.as(await customer())
  const [a, b] = [h.sells(100), h.sells(100)]
  await me.addItem({ sku: a, qty: 1 })
  const { cartToken, id } = await anonymous([a, 2], [b, 1])
  const merged = await me.mergeCart({ cartToken })
  expect(quantities(merged.cart)).toEqual([
    [a, 3],
    [b, 1],
  ])
  expect(await me.mergeCart({ cartToken })).toEqual(merged)
  await expect(h.anyone.getCart({ cartToken })).rejects.toMatchObject({ code: 'cart_not_found' })
  expect(await h.carts.findOne({ _id: id })).toBeNull()
  expect((await me.getCart({})).cart).toEqual(merged.cart)
})

test('an unknown token answers the cart unchanged, and nobody merges without signing in', async () => {
  const me = h.as(await customer())
  const sku = h.sells(100)
  await me.addItem({ sku, qty: 1 })
  expect(quantities((await me.mergeCart({ cartToken: 'y'.repeat(43) })).cart)).toEqual([[sku, 1]])
  await expect(h.anyone.mergeCart({ cartToken: 'y'.repeat(43) })).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})

test('many merges of one token at once add its lines once', async () => {
  const me = h.as(await customer())
  const sku = h.sells(100)
  const { cartToken } = await anonymous([sku, 2])
  await Promise.all(Array.from({ length: 10 }, () => me.mergeCart({ cartToken })))
  expect(quantities((await me.getCart({})).cart)).toEqual([[sku, 2]])
})

test('two people with one token: exactly one of them gets the lines', async () => {
  const [one, other] = [h.as(await customer()), h.as(await customer())]
  const sku = h.sells(100)
  const { cartToken } = await anonymous([sku, 2])
  await Promise.all([one.mergeCart({ cartToken }), other.mergeCart({ cartToken })])
  const counts = await Promise.all([one, other].map(async (who) => (await who.getCart({})).cart?.itemCount))
  expect(counts.sort()).toEqual([0, 2])
})

test('what is added to the anonymous cart during the merge is either moved or refused, never lost', async () => {
  const me = h.as(await customer())
  const sku = h.sells(100)
  const { cartToken } = await anonymous([sku, 1])
  const adds = Array.from({ length: 10 }, () => h.anyone.addItem({ cartToken, sku, qty: 1 }))
  const settled = await Promise.allSettled([...adds, me.mergeCart({ cartToken })])
  const added = settled.slice(0, 10).filter((result) => result.status === 'fulfilled').length
  expect((await me.getCart({})).cart?.itemCount).toBe(1 + added)
})

test('a merge that was cut off after the claim is finished by a retry, or by the sweep', async () => {
  for (const finish of ['retry', 'sweep']) {
    const { userId, token } = await customer()
    const me = h.as({ token })
    const sku = h.sells(100)
    const { cartToken, id } = await anonymous([sku, 2])
    // Where a dead process leaves it.
    const hash = tokenHash(cartToken)
    await h.carts.updateOne(
      { _id: id },
      { $set: { owner: mergingOwner(hash), mergeInto: userId, claimedAt: new Date(0) }, $inc: { version: 1 } },
    )
    if (finish === 'retry') await me.mergeCart({ cartToken })
    else await h.service.service.runJob('sweep-carts')
    expect(quantities((await me.getCart({})).cart)).toEqual([[sku, 2]])
    expect(await h.carts.findOne({ _id: id })).toBeNull()
  }
})

test('a merge that was cut off before its end adds nothing a second time', async () => {
  const { userId, token } = await customer()
  const me = h.as({ token })
  const sku = h.sells(100)
  const { cartToken, id } = await anonymous([sku, 2])
  const before = await h.carts.findOne({ _id: id })
  await me.mergeCart({ cartToken })
  const owner = mergingOwner(tokenHash(cartToken))
  await h.carts.insertOne({ ...before!, owner, mergeInto: userId, claimedAt: new Date(0) })
  await h.service.service.runJob('sweep-carts')
  expect(quantities((await me.getCart({})).cart)).toEqual([[sku, 2]])
  expect(await h.carts.findOne({ _id: id })).toBeNull()
})
