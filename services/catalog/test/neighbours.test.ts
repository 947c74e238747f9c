import { createEnvelope } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import { UploadPurpose } from '@haat/proto/catalog/v1/catalog'
import { ProductIndexRequested, ProductUpdated } from '@haat/proto/catalog/v1/events'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { ReviewApproved, ReviewRejected } from '@haat/proto/review/v1/events'
import { customer, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const BARCODE = '4006381333931'

async function otherShop() {
  const member = await vendorMember()
  await h.approveVendor(member.vendorId)
  const client = h.as(member)
  const image = await h.upload(client)
  return {
    ...member,
    client,
    async live(more: Parameters<typeof h.content>[0] = {}) {
      const content = h.content({ images: [{ imageId: image.id, alt: '' }], ...more })
      const { product } = await client.createProduct({ vendorId: member.vendorId, content })
      await client.submitProduct({ productId: product!.id })
      return (await h.editor.approveProduct({ productId: product!.id })).product!
    },
  }
}

test('a suspended vendor disappears from the storefront with all products, and comes back', async () => {
  const shop = await otherShop()
  const products = [await shop.live(), await shop.live()]
  const draft = (await shop.client.createProduct({ vendorId: shop.vendorId, content: h.content({ images: [] }) }))
    .product!
  await h.suspendVendor(shop.vendorId)
  await expect(h.anyone.getProduct({ productId: products[0]!.id })).rejects.toMatchObject({ code: 'product_not_found' })
  expect((await h.anyone.listProducts({ vendorId: shop.vendorId })).products).toEqual([])
  const skus = products.map((p) => p.variants[0]!.sku)
  expect((await h.anyone.batchGetVariants({ skus })).variants.map((v) => v.sellable)).toEqual([false, false])
  expect((await h.eventsOf(ProductUpdated, products[1]!.id)).at(-1)).toMatchObject({
    changedFields: ['visible'],
    visible: false,
    sellableSkus: [],
  })
  expect((await h.eventsOf(ProductIndexRequested, products[1]!.id)).at(-1)?.product?.visible).toBe(false)
  expect(await h.eventsOf(ProductUpdated, draft.id)).toEqual([])
  const own = (await shop.client.getProduct({ productId: products[0]!.id })).product
  expect(own).toMatchObject({ visible: false, version: products[0]!.version })

  await h.approveVendor(shop.vendorId)
  expect((await h.anyone.listProducts({ vendorId: shop.vendorId })).products).toHaveLength(2)
  expect((await h.eventsOf(ProductUpdated, products[1]!.id)).at(-1)).toMatchObject({
    visible: true,
    sellableSkus: [skus[1]],
  })
})

test('vendor events that come late or twice change nothing', async () => {
  const shop = await otherShop()
  const product = await shop.live()
  await h.suspendVendor(shop.vendorId, 1_000_000)
  await h.approveVendor(shop.vendorId, 999_999)
  await h.suspendVendor(shop.vendorId, 1_000_000)
  await expect(h.anyone.getProduct({ productId: product.id })).rejects.toMatchObject({ code: 'product_not_found' })
  expect(await h.eventsOf(ProductUpdated, product.id)).toHaveLength(1)
})

test("a product that missed its vendor's suspension is hidden by the healing job", async () => {
  const shop = await otherShop()
  const product = await shop.live()
  await h.db.vendors.updateOne({ _id: shop.vendorId }, { $set: { isActive: false } })
  await h.service.service.runJob('heal')
  await expect(h.anyone.getProduct({ productId: product.id })).rejects.toMatchObject({ code: 'product_not_found' })
})

test('ratings follow the reviews by their version, whatever the order, and are no edit', async () => {
  const product = await h.live()
  const rating = (ratingVersion: bigint, ratingAvg: number, ratingCount: number) => ({
    reviewId: newId(),
    productId: product.id,
    vendorId: h.seller.vendorId,
    userId: newId(),
    rating: 5,
    ratingAvg,
    ratingCount,
    ratingVersion,
    vendorRatingAvg: 0,
    vendorRatingCount: 0,
    vendorRatingVersion: 0n,
  })
  await h.service.publish(ReviewApproved, rating(2n, 4.5, 2))
  await h.service.publish(ReviewApproved, rating(1n, 5, 1))
  const { product: rated } = await h.anyone.getProduct({ productId: product.id })
  expect(rated).toMatchObject({ ratingAvg: 4.5, ratingCount: 2, version: product.version })
  const again = createEnvelope(ReviewRejected, { ...rating(3n, 4, 1), reason: 'spam' }, { sequence: 3 })
  await h.service.publishRaw(again)
  await h.service.publishRaw(again)
  expect((await h.anyone.getProduct({ productId: product.id })).product).toMatchObject({ ratingAvg: 4, ratingCount: 1 })
  const snapshots = await h.eventsOf(ProductIndexRequested, product.id)
  expect(snapshots).toHaveLength(3)
  expect(snapshots.at(-1)?.product).toMatchObject({ ratingAvg: 4, ratingCount: 1 })
  await h.service.publish(ReviewApproved, { ...rating(1n, 1, 1), productId: newId() })
})

test('offers of one barcode are ranked over all vendors, with what the caller knows', async () => {
  const shop = await otherShop()
  const offer = (price: number) => ({ variants: [h.variant({ barcode: BARCODE, price: h.bdt(price) })] })
  const cheap = await h.live(offer(10_000))
  const dear = await shop.live(offer(12_000))
  await h.draft(offer(1))
  const [a, b] = [cheap.variants[0]!.sku, dear.variants[0]!.sku]
  const plain = await h.anyone.listOffers({ barcode: BARCODE })
  expect(plain.offers.map((o) => [o.variant?.sku, o.featured])).toEqual([
    [a, true],
    [b, false],
  ])
  expect(plain.offers.every((o) => o.score > 0 && o.score <= 1)).toBe(true)
  const informed = await h.anyone.listOffers({
    barcode: BARCODE,
    signals: [
      { sku: a, available: 0, delivery: h.bdt(9_000), deliveryDays: 9 },
      { sku: b, available: 40, delivery: h.bdt(0), deliveryDays: 1 },
    ],
  })
  expect(informed.offers.map((o) => [o.variant?.sku, o.featured])).toEqual([
    [b, true],
    [a, false],
  ])
  await h.suspendVendor(shop.vendorId)
  expect((await h.anyone.listOffers({ barcode: BARCODE })).offers).toHaveLength(1)
})

test("a forgotten person's pictures are gone, a vendor's stay without the name", async () => {
  const person = await customer()
  const picture = await h.upload(h.as(person), UploadPurpose.REVIEW)
  expect((await fetch(picture.cardUrl)).status).toBe(200)
  const member = await vendorMember(h.seller.vendorId, ['catalog.write'])
  const shopImage = await h.upload(h.as(member))
  for (const userId of [person.userId, member.userId, person.userId])
    await h.service.publish(UserForgotten, { userId, forgottenAt: new Date() })
  expect((await fetch(picture.cardUrl)).status).toBe(404)
  const { media } = await h.order.batchGetMedia({ imageIds: [picture.id, shopImage.id] })
  expect(media).toMatchObject([{ image: { id: shopImage.id }, uploadedBy: '' }])
})
