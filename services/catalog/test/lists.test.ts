import { newId } from '@haat/kit/id'
import { type ListProductsRequest, type Product, ProductSort, ProductStatus } from '@haat/proto/catalog/v1/catalog'
import { customer, neighbour } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const shop = { categories: { cheap: h.category.id } }
const made: Product[] = []
for (const [title, price] of [
  ['Red shirt', 300],
  ['Blue shirt', 100],
  ['Green jacket', 200],
] as const)
  made.push(await h.live({ title, variants: [h.variant({ price: h.bdt(price) })] }))
const off = await h.live({ title: 'Nothing on sale', variants: [h.variant({ isActive: true })] })
await h.vendor.updateProduct({
  productId: off.id,
  expectedVersion: off.version,
  content: { ...h.asContent(off), variants: h.asContent(off).variants.map((v) => ({ ...v, isActive: false })) },
})
const hidden = await h.draft({ title: 'Red draft' })

async function titles(request: Partial<ListProductsRequest>, pageSize = 2): Promise<string[]> {
  const found: string[] = []
  let pageToken = ''
  do {
    const page = await h.anyone.listProducts({ ...request, pageSize, pageToken })
    found.push(...page.products.map((p) => p.title))
    pageToken = page.nextPageToken
  } while (pageToken)
  return found
}

test('the storefront lists visible products in every order, page by page, none twice', async () => {
  expect(await titles({})).toEqual(['Nothing on sale', 'Green jacket', 'Blue shirt', 'Red shirt'])
  expect(await titles({ sort: ProductSort.PRICE_ASC })).toEqual([
    'Blue shirt',
    'Green jacket',
    'Red shirt',
    'Nothing on sale',
  ])
  expect(await titles({ sort: ProductSort.PRICE_DESC }, 1)).toEqual([
    'Red shirt',
    'Green jacket',
    'Blue shirt',
    'Nothing on sale',
  ])
  expect((await titles({ sort: ProductSort.RATING }, 3)).sort()).toEqual([
    'Blue shirt',
    'Green jacket',
    'Nothing on sale',
    'Red shirt',
  ])
})

test('filters narrow the list: words, price, category, vendor', async () => {
  expect(await titles({ query: 'SHIRT' })).toEqual(['Blue shirt', 'Red shirt'])
  expect(await titles({ query: 'shi red' })).toEqual(['Red shirt'])
  expect(await titles({ query: '.*' })).toHaveLength(4)
  expect(await titles({ minPrice: h.bdt(150), maxPrice: h.bdt(250) })).toEqual(['Green jacket'])
  expect(await titles({ minPrice: { currency: 'USD', minor: 0n } })).toEqual([])
  expect(await titles({ categoryId: shop.categories.cheap })).toHaveLength(4)
  expect(await titles({ vendorId: newId() })).toEqual([])
  await expect(h.anyone.listProducts({ categorySlug: 'nope' })).rejects.toMatchObject({ code: 'category_not_found' })
  await expect(h.anyone.listProducts({ pageToken: 'xx' })).rejects.toMatchObject({ code: 'page_token_invalid' })
  const forged = Buffer.from('["no date","x"]').toString('base64url')
  await expect(h.anyone.listProducts({ pageToken: forged })).rejects.toMatchObject({ code: 'page_token_invalid' })
})

test('a vendor lists its own in any status and finds them by title, SKU or barcode', async () => {
  const { products } = await h.vendor.listVendorProducts({ status: ProductStatus.DRAFT })
  expect(products).toMatchObject([{ id: hidden.id, visible: false }])
  const sku = made[1]!.variants[0]!.sku
  expect((await h.vendor.listVendorProducts({ query: sku })).products.map((p) => p.id)).toEqual([made[1]!.id])
  expect((await h.vendor.listVendorProducts({ query: 'D SHI' })).products.map((p) => p.id)).toEqual([made[0]!.id])
  expect((await h.editor.listVendorProducts({ query: 'red' })).products).toHaveLength(2)
  const first = await h.vendor.listVendorProducts({ pageSize: 3 })
  const second = await h.vendor.listVendorProducts({ pageSize: 3, pageToken: first.nextPageToken })
  expect(new Set([...first.products, ...second.products].map((p) => p.id)).size).toBe(5)
  const someone = h.as({ ...(await customer()), ...(await neighbour('bff-storefront')) })
  await expect(someone.listVendorProducts({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(someone.listApprovals({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('cards come in the order asked, without what the caller may not see', async () => {
  const productIds = [made[2]!.id, hidden.id, newId(), made[0]!.id]
  const guest = await h.anyone.batchGetProducts({ productIds })
  expect(guest.products.map((p) => p.id)).toEqual([made[2]!.id, made[0]!.id])
  expect((await h.vendor.batchGetProducts({ productIds })).products.map((p) => p.id)).toEqual([
    made[2]!.id,
    hidden.id,
    made[0]!.id,
  ])
  expect((await h.order.batchGetProducts({ productIds })).products).toHaveLength(3)
})

test('a BFF asking for a guest sees what a guest sees', async () => {
  const storefront = h.as(await neighbour('bff-storefront'))
  await expect(storefront.getProduct({ productId: hidden.id })).rejects.toMatchObject({ code: 'product_not_found' })
  expect((await h.order.getProduct({ productId: hidden.id })).product?.id).toBe(hidden.id)
})

test('search gets everything that is not a draft, page by page', async () => {
  const found: string[] = []
  let pageToken = ''
  do {
    const page = await h.order.listProductSnapshots({ pageSize: 2, pageToken })
    found.push(...page.products.map((p) => p.productId))
    pageToken = page.nextPageToken
  } while (pageToken)
  expect(found.sort()).toEqual([...made.map((p) => p.id), off.id].sort())
  await expect(h.vendor.listProductSnapshots({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('a page of large snapshots stays below what a message may hold', async () => {
  const description = 'অ'.repeat(20_000)
  for (let i = 0; i < 40; i++) await h.db.products.insertOne(await large(description, i))
  const page = await h.order.listProductSnapshots({ pageSize: 100 })
  expect(page.products.length).toBeLessThan(44)
  expect(page.nextPageToken).not.toBe('')
  await h.db.products.deleteMany({ description })
})

async function large(description: string, i: number) {
  const { pendingEvents: _, ...product } = (await h.db.products.findOne({ _id: made[0]!.id }))!
  return { ...product, _id: newId(), slug: `large-${i}`, description }
}

test('carts get what they need of many SKUs, in the order asked, without drafts and strangers', async () => {
  const category = (await h.editor.createCategory({ name: 'Smart', parentId: h.category.id })).category!
  const product = await h.live({
    categoryIds: [category.id],
    variants: [h.variant({ price: h.bdt(777), weightGrams: 5 })],
  })
  const [a, b] = [product.variants[0]!.sku, made[0]!.variants[0]!.sku]
  const { variants } = await h.anyone.batchGetVariants({ skus: [a, 'UNKNOWN', hidden.variants[0]!.sku, b] })
  expect(variants.map((v) => v.sku)).toEqual([a, b])
  expect(variants[0]).toMatchObject({
    productId: product.id,
    productSlug: product.slug,
    vendorId: h.seller.vendorId,
    price: h.bdt(777),
    categoryIds: [h.category.id, category.id],
    sellable: true,
    weightGrams: 5,
    imageUrl: h.image.cardUrl,
  })
  await expect(h.anyone.batchGetVariants({ skus: [] })).rejects.toMatchObject({ code: 'request_invalid' })
})
