import { newId } from '@haat/kit/id'
import { ChangeRequestStatus, ProductStatus } from '@haat/proto/catalog/v1/catalog'
import {
  ProductApproved,
  ProductArchived,
  ProductCreated,
  ProductIndexRequested,
  ProductPriceUpdated,
  ProductRejected,
  ProductSubmitted,
  ProductUpdated,
} from '@haat/proto/catalog/v1/events'
import { customer, staff, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const sizes = { options: [{ name: 'Size', values: ['S', 'M', 'L'] }] }
const sized = (size: string, more = {}) => h.variant({ optionValues: { Size: size }, ...more })

test('a product goes draft → pending → active, and only then the storefront sees it', async () => {
  const created = await h.draft({ ...sizes, variants: [sized('L'), sized('S')] })
  expect(created).toMatchObject({
    status: ProductStatus.DRAFT,
    visible: false,
    version: 1n,
    vendorId: h.seller.vendorId,
  })
  expect(created.variants.map((v) => v.optionValues.Size)).toEqual(['S', 'L'])
  await expect(h.anyone.getProduct({ productId: created.id })).rejects.toMatchObject({ code: 'product_not_found' })
  await expect(h.anyone.getProductBySlug({ slug: created.slug })).rejects.toMatchObject({ code: 'product_not_found' })
  expect((await h.vendor.getProduct({ productId: created.id })).product?.id).toBe(created.id)

  const { product: pending } = await h.vendor.submitProduct({ productId: created.id })
  expect(pending).toMatchObject({ status: ProductStatus.PENDING, visible: false })
  const { approvals } = await h.editor.listApprovals({ vendorId: h.seller.vendorId, pageSize: 100 })
  expect(approvals.map((a) => a.product?.id)).toContain(created.id)

  const { product: live } = await h.editor.approveProduct({ productId: created.id, expectedVersion: pending!.version })
  expect(live).toMatchObject({ status: ProductStatus.ACTIVE, visible: true })
  expect(live?.publishedAt).toBeInstanceOf(Date)
  const seen = await h.anyone.getProductBySlug({ slug: created.slug })
  expect(seen.product?.id).toBe(created.id)
  expect(seen.breadcrumb.map((c) => c.slug)).toEqual(['phones'])
  const hidden = await h.draft()
  const slugs = ['nothing-here', hidden.slug, created.slug]
  expect((await h.anyone.batchGetProductsBySlug({ slugs })).products).toEqual([seen])
  const own = await h.vendor.batchGetProductsBySlug({ slugs })
  expect(own.products.map(({ product }) => product?.slug)).toEqual([hidden.slug, created.slug])

  expect(await h.eventsOf(ProductCreated, created.id)).toHaveLength(1)
  expect(await h.eventsOf(ProductSubmitted, created.id)).toMatchObject([{ submittedBy: h.seller.userId }])
  expect(await h.eventsOf(ProductApproved, created.id)).toMatchObject([
    { sellableSkus: live?.variants.map((v) => v.sku) },
  ])
  const [snapshot] = await h.eventsOf(ProductIndexRequested, created.id)
  expect(snapshot?.product).toMatchObject({ visible: true, categoryPaths: ['phones'], categoryNames: ['Phones'] })
})

test('a rejected product is a draft again and says why, to its vendor only', async () => {
  const { id } = await h.draft()
  await h.vendor.submitProduct({ productId: id })
  const { product } = await h.editor.rejectProduct({ productId: id, reason: 'blurred picture' })
  expect(product).toMatchObject({ status: ProductStatus.DRAFT, rejectionReason: 'blurred picture' })
  expect(await h.eventsOf(ProductRejected, id)).toMatchObject([{ reason: 'blurred picture' }])
  const { product: again } = await h.vendor.submitProduct({ productId: id })
  expect(again?.rejectionReason).toBe('')
})

test('what is out of order is refused: submitting twice, deciding on nothing, an incomplete product', async () => {
  const { id } = await h.draft()
  await expect(h.editor.approveProduct({ productId: id })).rejects.toMatchObject({ code: 'approval_not_pending' })
  await h.vendor.submitProduct({ productId: id })
  await expect(h.vendor.submitProduct({ productId: id })).rejects.toMatchObject({ code: 'product_status_conflict' })
  const bare = await h.draft({ images: [], description: ' ', categoryIds: [], variants: [] })
  await expect(h.vendor.submitProduct({ productId: bare.id })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'product_incomplete',
    details: { missing: ['category', 'image', 'description', 'variant'] },
  })
  expect(await h.eventsOf(ProductSubmitted, bare.id)).toEqual([])
})

test('ten reviewers approving at once approve once', async () => {
  const { id } = await h.draft()
  await h.vendor.submitProduct({ productId: id })
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => h.editor.approveProduct({ productId: id })))
  expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1)
  expect(await h.eventsOf(ProductApproved, id)).toHaveLength(1)
})

test('a reviewer who saw an older version does not approve the newer one', async () => {
  const draft = await h.draft()
  const { product } = await h.vendor.submitProduct({ productId: draft.id })
  await h.vendor.updateProduct({
    productId: draft.id,
    expectedVersion: product!.version,
    content: { ...h.asContent(draft), description: 'Not what you saw.' },
  })
  await expect(
    h.editor.approveProduct({ productId: draft.id, expectedVersion: product!.version }),
  ).rejects.toMatchObject({ status: 'ABORTED', code: 'product_version_conflict' })
})

test('a SKU belongs to one product: of many at once that want it, one gets it', async () => {
  const sku = h.uniqueSku()
  const attempts = await Promise.allSettled(
    Array.from({ length: 12 }, () => h.draft({ variants: [h.variant({ sku })] })),
  )
  expect(attempts.filter((a) => a.status === 'fulfilled')).toHaveLength(1)
  for (const attempt of attempts)
    if (attempt.status === 'rejected')
      expect(attempt.reason).toMatchObject({ status: 'ALREADY_EXISTS', code: 'sku_taken', details: { sku } })
})

test('a product that cannot be created leaves none of its SKUs taken', async () => {
  const [taken, free] = [h.uniqueSku(), h.uniqueSku()]
  await h.draft({ variants: [h.variant({ sku: taken })] })
  const both = [sized('S', { sku: free }), sized('M', { sku: taken })]
  await expect(h.draft({ ...sizes, variants: both })).rejects.toMatchObject({ code: 'sku_taken' })
  await h.draft({ variants: [h.variant({ sku: free })] })
})

test('a claim that a crash left behind is taken over after a minute, and not before', async () => {
  const sku = h.uniqueSku()
  const row = { ...(await h.db.variants.findOne({}))!, sku, productId: newId() }
  await h.db.variants.insertOne({ ...row, _id: newId() })
  await expect(h.draft({ variants: [h.variant({ sku })] })).rejects.toMatchObject({ code: 'sku_taken' })
  expect((await h.anyone.batchGetVariants({ skus: [sku] })).variants).toEqual([])
  await h.db.variants.deleteOne({ sku })
  await h.db.variants.insertOne({ ...row, _id: newId(Date.now() - 61_000) })
  const product = await h.draft({ variants: [h.variant({ sku })] })
  expect((await h.db.variants.findOne({ sku }))?.productId).toBe(product.id)
})

test('slugs come from titles, are unique and never change', async () => {
  const title = `Café Table ${newId().slice(-5)}`
  const products = await Promise.all([1, 2, 3].map(() => h.draft({ title })))
  const slugs = products.map((p) => p.slug)
  expect(new Set(slugs).size).toBe(3)
  expect(slugs.every((slug) => slug.startsWith('cafe-table-'))).toBe(true)
  const [first] = products
  const { product } = await h.vendor.updateProduct({
    productId: first!.id,
    expectedVersion: 1n,
    content: { ...h.asContent(first!), title: 'Another name' },
  })
  expect(product?.slug).toBe(first!.slug)
  await expect(
    h.vendor.createProduct({ vendorId: h.seller.vendorId, slug: first!.slug, content: h.content() }),
  ).rejects.toMatchObject({ status: 'ALREADY_EXISTS', code: 'slug_taken' })
  expect((await h.draft({ title: 'কাঠের টেবিল' })).slug).toMatch(/^product/)
})

test.each([
  ['a missing option value', 'variant_options_invalid', () => ({ ...sizes, variants: [h.variant()] })],
  ['an unknown option value', 'variant_options_invalid', () => ({ ...sizes, variants: [sized('XXL')] })],
  ['two variants alike', 'variant_options_invalid', () => ({ ...sizes, variants: [sized('S'), sized('S')] })],
  [
    'two currencies',
    'currency_mixed',
    () => ({ ...sizes, variants: [sized('S'), sized('M', { price: { currency: 'USD', minor: 1n } })] }),
  ],
  ['a negative price', 'price_invalid', () => ({ variants: [h.variant({ price: h.bdt(-1) })] })],
  [
    'a compare price below the price',
    'price_invalid',
    () => ({ variants: [h.variant({ compareAtPrice: h.bdt(50_000) })] }),
  ],
  [
    'an unknown currency',
    'price_invalid',
    () => ({ variants: [h.variant({ price: { currency: 'XYQ', minor: 1n } })] }),
  ],
  ['a wrong barcode', 'barcode_invalid', () => ({ variants: [h.variant({ barcode: '4006381333932' })] })],
  ['an unknown category', 'category_not_found', () => ({ categoryIds: [newId()] })],
  ['an unknown brand', 'brand_not_found', () => ({ brandId: newId() })],
  ['an unknown image', 'media_not_found', () => ({ images: [{ imageId: newId(), alt: '' }] })],
])('%s is refused, and nothing is written', async (_, code, broken) => {
  const before = await h.db.products.countDocuments()
  await expect(h.draft(broken())).rejects.toMatchObject({ code })
  expect(await h.db.products.countDocuments()).toBe(before)
})

test('another vendor, a customer and a member without the right change nothing', async () => {
  const product = await h.draft()
  const other = h.as(await vendorMember())
  const change = { productId: product.id, expectedVersion: 1n, content: h.asContent(product) }
  for (const attempt of [
    () => other.getProduct({ productId: product.id }),
    () => other.updateProduct(change),
    () => other.submitProduct({ productId: product.id }),
    () => other.archiveProduct({ productId: product.id }),
    () => other.updateProduct({ ...change, productId: newId() }),
  ])
    await expect(attempt()).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'product_not_found' })
  await expect(other.setPrice({ sku: product.variants[0]!.sku, price: h.bdt(1) })).rejects.toMatchObject({
    code: 'variant_not_found',
  })
  await expect(other.listPriceHistory({ sku: product.variants[0]!.sku })).rejects.toMatchObject({
    code: 'variant_not_found',
  })
  await expect(other.createProduct({ vendorId: h.seller.vendorId, content: h.content() })).rejects.toMatchObject({
    code: 'vendor_not_found',
  })
  await expect(other.listVendorProducts({ vendorId: h.seller.vendorId })).rejects.toMatchObject({
    code: 'vendor_not_found',
  })
  await expect(h.as(await customer()).updateProduct(change)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  const packer = h.as(await vendorMember(h.seller.vendorId, ['orders.read']))
  await expect(packer.updateProduct(change)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.vendor.approveProduct({ productId: product.id })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
  expect((await h.vendor.getProduct({ productId: product.id })).product?.version).toBe(1n)
})

test('a vendor nobody knows is asked for, and cannot get products', async () => {
  const stranger = await vendorMember()
  await expect(
    h.as(stranger).createProduct({ vendorId: stranger.vendorId, content: h.content() }),
  ).rejects.toMatchObject({ code: 'vendor_not_found' })
  expect(h.vendorCalls).toContain(stranger.vendorId)
})

test('a stale form is refused, an unchanged one changes nothing', async () => {
  const product = await h.draft()
  const content = h.asContent(product)
  const { product: same } = await h.vendor.updateProduct({ productId: product.id, expectedVersion: 1n, content })
  expect(same?.version).toBe(1n)
  expect(await h.eventsOf(ProductUpdated, product.id)).toEqual([])
  await h.vendor.updateProduct({ productId: product.id, expectedVersion: 1n, content: { ...content, title: 'New' } })
  await expect(
    h.vendor.updateProduct({ productId: product.id, expectedVersion: 1n, content: { ...content, title: 'Old tab' } }),
  ).rejects.toMatchObject({ status: 'ABORTED', code: 'product_version_conflict', details: { version: 2 } })
  expect(await h.eventsOf(ProductUpdated, product.id)).toMatchObject([{ changedFields: ['title'] }])
})

test('on a live product prices apply at once and the rest waits as a change request with a diff', async () => {
  const product = await h.live()
  const [variant] = product.variants
  const content = h.asContent(product)
  const { product: now, changeRequest } = await h.vendor.updateProduct({
    productId: product.id,
    expectedVersion: product.version,
    content: {
      ...content,
      title: 'A better title',
      variants: [{ ...content.variants[0]!, price: h.bdt(45_000), barcode: '4006381333931' }],
    },
  })
  expect(now).toMatchObject({ title: product.title, openChangeRequestId: changeRequest?.id })
  expect(now?.variants[0]).toMatchObject({ price: h.bdt(45_000), barcode: '' })
  expect(changeRequest).toMatchObject({
    status: ChangeRequestStatus.PENDING,
    baseVersion: product.version,
    changes: [
      { field: 'title', before: JSON.stringify(product.title), after: '"A better title"' },
      { field: `variants.${variant!.sku}.barcode`, before: '""', after: '"4006381333931"' },
    ],
  })
  expect(await h.eventsOf(ProductPriceUpdated, product.id)).toMatchObject([
    { oldPrice: h.bdt(50_000), price: h.bdt(45_000) },
  ])
  const guest = (await h.anyone.getProduct({ productId: product.id })).product
  expect(guest).toMatchObject({ title: product.title, rejectionReason: '' })
  expect(guest?.openChangeRequestId).toBeUndefined()

  await expect(h.editor.approveProduct({ productId: product.id })).rejects.toMatchObject({
    code: 'change_request_conflict',
  })
  const { product: approved } = await h.editor.approveProduct({
    productId: product.id,
    changeRequestId: changeRequest!.id,
  })
  expect(approved).toMatchObject({ title: 'A better title', slug: product.slug })
  expect(approved?.variants[0]).toMatchObject({ price: h.bdt(45_000), barcode: '4006381333931' })
  const { changeRequests } = await h.vendor.listChangeRequests({ productId: product.id })
  expect(changeRequests).toMatchObject([{ status: ChangeRequestStatus.APPROVED }])
  expect((await h.eventsOf(ProductApproved, product.id)).at(-1)).toMatchObject({ changeRequestId: changeRequest!.id })
})

test('a later edit takes the place of the open one, the same edit again does not, a price edit leaves it alone', async () => {
  const product = await h.live()
  const content = h.asContent(product)
  const edit = async (title: string, price: bigint) => {
    const { product: current } = await h.vendor.getProduct({ productId: product.id })
    return h.vendor.updateProduct({
      productId: product.id,
      expectedVersion: current!.version,
      content: { ...content, title, variants: [{ ...content.variants[0]!, price: h.bdt(price) }] },
    })
  }
  const first = await edit('One', 50_000n)
  const repeat = await edit('One', 50_000n)
  expect(repeat.changeRequest?.id).toBe(first.changeRequest?.id)
  const second = await edit('Two', 50_000n)
  expect(second.changeRequest?.id).not.toBe(first.changeRequest?.id)
  const price = await edit(product.title, 40_000n)
  expect(price.changeRequest?.id).toBe(second.changeRequest?.id)
  await expect(
    h.editor.approveProduct({ productId: product.id, changeRequestId: first.changeRequest!.id }),
  ).rejects.toMatchObject({ status: 'ABORTED', code: 'change_request_conflict' })
  await h.editor.rejectProduct({ productId: product.id, changeRequestId: second.changeRequest!.id, reason: 'no' })
  const { changeRequests } = await h.editor.listChangeRequests({ productId: product.id })
  expect(changeRequests.map((r) => r.status)).toEqual([ChangeRequestStatus.REJECTED, ChangeRequestStatus.SUPERSEDED])
  expect((await h.anyone.getProduct({ productId: product.id })).product?.title).toBe(product.title)
  expect(await h.eventsOf(ProductSubmitted, product.id)).toHaveLength(3)
})

test('a new variant of a live product waits, its SKU is free until it is approved, and may be gone by then', async () => {
  const product = await h.live({ ...sizes, variants: [sized('S')] })
  const sku = h.uniqueSku()
  const content = h.asContent(product)
  const { changeRequest } = await h.vendor.updateProduct({
    productId: product.id,
    expectedVersion: product.version,
    content: { ...content, variants: [...content.variants, sized('M', { sku })] },
  })
  expect(changeRequest?.changes.map((c) => c.field)).toEqual([`variants.${sku}`])
  await h.draft({ variants: [h.variant({ sku })] })
  await expect(
    h.editor.approveProduct({ productId: product.id, changeRequestId: changeRequest!.id }),
  ).rejects.toMatchObject({ status: 'ALREADY_EXISTS', code: 'sku_taken', details: { sku } })
  await expect(
    h.vendor.updateProduct({
      productId: product.id,
      expectedVersion: product.version + 1n,
      content: { ...content, variants: [...content.variants, sized('L', { sku })] },
    }),
  ).rejects.toMatchObject({ code: 'sku_taken' })
})

test('staff edits of a live product apply at once; variants left out are switched off', async () => {
  const product = await h.live({ ...sizes, variants: [sized('S'), sized('M')] })
  const content = h.asContent(product)
  const { product: now, changeRequest } = await h.editor.updateProduct({
    productId: product.id,
    expectedVersion: product.version,
    content: { ...content, title: 'By staff', variants: content.variants.slice(0, 1) },
  })
  expect(changeRequest).toBeUndefined()
  expect(now?.title).toBe('By staff')
  expect(now?.variants.map((v) => v.isActive)).toEqual([true, false])
  expect((await h.anyone.getProduct({ productId: product.id })).product?.variants).toHaveLength(1)
  expect((await h.eventsOf(ProductUpdated, product.id)).at(-1)).toMatchObject({
    changedFields: ['title', 'variants'],
    sellableSkus: [product.variants[0]!.sku],
  })
  const row = await h.db.variants.findOne({ sku: product.variants[1]!.sku })
  expect(row?.isActive).toBe(false)
})

test('an archived product is off sale for good; archiving again is the same', async () => {
  const product = await h.live()
  await h.vendor.archiveProduct({ productId: product.id })
  const { product: again } = await h.vendor.archiveProduct({ productId: product.id })
  expect(again).toMatchObject({ status: ProductStatus.ARCHIVED, visible: false })
  expect(await h.eventsOf(ProductArchived, product.id)).toHaveLength(1)
  expect((await h.eventsOf(ProductIndexRequested, product.id)).at(-1)?.product).toMatchObject({ visible: false })
  await expect(
    h.vendor.updateProduct({ productId: product.id, expectedVersion: again!.version, content: h.asContent(product) }),
  ).rejects.toMatchObject({ code: 'product_archived' })
  const [sku] = product.variants.map((v) => v.sku)
  await expect(h.vendor.setPrice({ sku: sku!, price: h.bdt(1) })).rejects.toMatchObject({ code: 'product_archived' })
  expect((await h.anyone.batchGetVariants({ skus: [sku!] })).variants).toMatchObject([{ sellable: false }])
})

test('a price is history once it changes; the same price again is not; many at once all count', async () => {
  const product = await h.live()
  const { sku } = product.variants[0]!
  const { variant } = await h.vendor.setPrice({ sku, price: h.bdt(40_000), compareAtPrice: h.bdt(50_000) })
  expect(variant).toMatchObject({ price: h.bdt(40_000), compareAtPrice: h.bdt(50_000) })
  await h.vendor.setPrice({ sku, price: h.bdt(40_000), compareAtPrice: h.bdt(50_000) })
  await Promise.all([1n, 2n, 3n, 4n].map((minor) => h.vendor.setPrice({ sku, price: h.bdt(minor) })))
  const { prices } = await h.vendor.listPriceHistory({ sku, pageSize: 4 })
  expect(prices).toHaveLength(4)
  const all = await h.vendor.listPriceHistory({ sku })
  expect(all.prices).toHaveLength(6)
  expect(all.prices.at(-1)).toMatchObject({ price: h.bdt(50_000), changedBy: h.seller.userId })
  expect(all.prices.at(-1)?.oldPrice).toBeUndefined()
  expect(await h.eventsOf(ProductPriceUpdated, product.id)).toHaveLength(5)
  await expect(h.vendor.setPrice({ sku, price: h.bdt(2), compareAtPrice: h.bdt(1) })).rejects.toMatchObject({
    code: 'price_invalid',
  })
  await expect(h.vendor.setPrice({ sku: 'NOPE', price: h.bdt(2) })).rejects.toMatchObject({ code: 'variant_not_found' })
  const versions = (await h.eventsOf(ProductIndexRequested, product.id)).map((e) => e.product!.version)
  expect(new Set(versions).size).toBe(versions.length)
})

test('what a crash kept from the other collections, the healing job brings there', async () => {
  const product = await h.live()
  const { sku } = product.variants[0]!
  await h.vendor.setPrice({ sku, price: h.bdt(1_000) })
  const [row] = await h.db.priceHistory.find({ sku }).sort({ changedAt: -1 }).limit(1).toArray()
  await h.db.priceHistory.deleteOne({ _id: row!._id })
  await h.db.variants.updateOne({ sku }, { $set: { price: h.bdt(50_000), revision: 1 } })
  await h.db.products.updateOne(
    { _id: product.id },
    { $set: { unprojectedSince: new Date(0), unsaved: { prices: [row!], changeRequests: [] } } },
  )
  await h.service.service.runJob('heal')
  expect((await h.vendor.listPriceHistory({ sku })).prices).toHaveLength(2)
  expect((await h.db.variants.findOne({ sku }))?.price).toEqual(h.bdt(1_000))
  const healed = await h.db.products.findOne({ _id: product.id })
  expect(healed).not.toHaveProperty('unprojectedSince')
  expect(healed?.unsaved).toEqual({ prices: [], changeRequests: [] })
})

test('staff without the permission is refused', async () => {
  const reader = h.as(await staff('catalog.read'))
  const product = await h.draft()
  expect((await reader.getProduct({ productId: product.id })).product?.id).toBe(product.id)
  await expect(reader.approveProduct({ productId: product.id })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(reader.archiveProduct({ productId: product.id })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(reader.listApprovals({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})
