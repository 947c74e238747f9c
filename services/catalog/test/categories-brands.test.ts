import { newId } from '@haat/kit/id'
import {
  BrandCreated,
  BrandUpdated,
  CategoryCreated,
  CategoryUpdated,
  ProductIndexRequested,
} from '@haat/proto/catalog/v1/events'
import { staff } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const create = async (name: string, parentId?: string, more = {}) =>
  (await h.editor.createCategory({ name, ...(parentId ? { parentId } : {}), ...more })).category!
const pathsBelow = async (parentId: string) =>
  (await h.anyone.listCategories({ parentId })).categories.map((c) => c.path)
const follow = () => h.service.service.runJob('refresh-products')

test('moving a category moves its whole subtree, and the products below are told to search anew', async () => {
  const [home, garden] = [await create('Home'), await create('Garden')]
  const chairs = await create('Chairs', home.id)
  const stools = await create('Bar Stools', chairs.id)
  const product = await h.live({ categoryIds: [stools.id] })
  expect(stools).toMatchObject({ path: 'home>chairs>bar-stools', depth: 2 })

  const { category } = await h.editor.updateCategory({ categoryId: chairs.id, parentId: garden.id, slug: 'seats' })
  expect(category).toMatchObject({ path: 'garden>seats', depth: 1, parentId: garden.id })
  expect(await pathsBelow(garden.id)).toEqual(['garden>seats', 'garden>seats>bar-stools'])
  expect(await pathsBelow(home.id)).toEqual([])
  const stored = await h.db.categories.findOne({ _id: stools.id })
  expect(stored).toMatchObject({ path: 'garden>seats>bar-stools', depth: 2 })
  const [event] = (await h.service.emitted(CategoryUpdated)).filter(({ data }) => data.categoryId === chairs.id)
  expect(event?.data).toMatchObject({ oldPath: 'home>chairs', category: { path: 'garden>seats' } })

  await follow()
  const snapshot = (await h.eventsOf(ProductIndexRequested, product.id)).at(-1)?.product
  expect(snapshot).toMatchObject({
    categoryPaths: ['garden>seats>bar-stools'],
    categoryNames: ['Garden', 'Chairs', 'Bar Stools'],
  })
  const { products } = await h.anyone.listProducts({ categorySlug: 'garden' })
  expect(products.map((p) => p.id)).toEqual([product.id])
  const { variants } = await h.anyone.batchGetVariants({ skus: product.variants.map((v) => v.sku) })
  expect(variants[0]?.categoryIds).toEqual([garden.id, chairs.id, stools.id])

  const told = (await h.eventsOf(ProductIndexRequested, product.id)).length
  await follow()
  expect(await h.eventsOf(ProductIndexRequested, product.id)).toHaveLength(told)
})

test('paths that a crash left behind are rewritten', async () => {
  const top = await create('Left Top')
  const below = await create('Left Below', top.id)
  await h.db.categories.updateOne({ _id: top.id }, { $set: { slug: 'right-top', refreshSince: new Date() } })
  await follow()
  expect((await h.db.categories.findOne({ _id: below.id }))?.path).toBe('right-top>left-below')
  expect(await pathsBelow(top.id)).toEqual(['right-top>left-below'])
  expect(await h.db.categories.findOne({ _id: top.id })).not.toHaveProperty('refreshSince')
})

test('a category cannot go below itself, nor deeper than six levels, nor below what is not there', async () => {
  let parent = await create('Level 1')
  const [first] = [parent]
  for (let level = 2; level <= 6; level++) parent = await create(`Level ${level}`, parent.id)
  const tooDeep = { status: 'FAILED_PRECONDITION', code: 'category_too_deep' }
  await expect(create('Level 7', parent.id)).rejects.toMatchObject(tooDeep)
  const other = await create('Other Root')
  await expect(h.editor.updateCategory({ categoryId: first!.id, parentId: other.id })).rejects.toMatchObject(tooDeep)
  for (const parentId of [first!.id, parent.id])
    await expect(h.editor.updateCategory({ categoryId: first!.id, parentId })).rejects.toMatchObject({
      status: 'FAILED_PRECONDITION',
      code: 'category_cycle',
    })
  await expect(create('Orphan', newId())).rejects.toMatchObject({ code: 'category_not_found' })
  await expect(h.editor.updateCategory({ categoryId: newId(), name: 'x' })).rejects.toMatchObject({
    code: 'category_not_found',
  })
  const { category } = await h.editor.updateCategory({ categoryId: parent.id, parentId: '' })
  expect(category).toMatchObject({ path: 'level-6', depth: 0, parentId: undefined })
})

test('two moves at once never make a circle', async () => {
  const [a, b] = [await create('Circle A'), await create('Circle B')]
  const moves = await Promise.allSettled([
    h.editor.updateCategory({ categoryId: a.id, parentId: b.id }),
    h.editor.updateCategory({ categoryId: b.id, parentId: a.id }),
  ])
  expect(moves.map((move) => move.status).sort()).toEqual(['fulfilled', 'rejected'])
})

test('a slug is taken once; an update that changes nothing tells nobody', async () => {
  const one = await create('Same Name')
  await expect(create('Same Name')).rejects.toMatchObject({ status: 'ALREADY_EXISTS', code: 'slug_taken' })
  const two = await create('Same Name', undefined, { slug: 'same-name-2' })
  await expect(h.editor.updateCategory({ categoryId: two.id, slug: one.slug })).rejects.toMatchObject({
    code: 'slug_taken',
  })
  await h.editor.updateCategory({ categoryId: two.id, name: 'Same Name' })
  const events = await h.service.emitted(CategoryUpdated)
  expect(events.filter(({ data }) => data.categoryId === two.id)).toEqual([])
  const created = await h.service.emitted(CategoryCreated)
  expect(created.find(({ data }) => data.categoryId === two.id)?.data.category?.slug).toBe('same-name-2')
})

test('hiding a category hides what is below it, except for staff', async () => {
  const top = await create('Secret')
  const below = await create('Secret Below', top.id)
  await h.editor.updateCategory({ categoryId: top.id, isActive: false })
  const ids = async (client: typeof h.anyone, includeInactive: boolean) =>
    (await client.listCategories({ includeInactive })).categories.map((c) => c.id)
  expect(await ids(h.anyone, true)).not.toContain(below.id)
  expect(await ids(h.vendor, true)).not.toContain(top.id)
  expect(await ids(h.editor, true)).toEqual(expect.arrayContaining([top.id, below.id]))
  await expect(h.anyone.listProducts({ categoryId: below.id })).rejects.toMatchObject({ code: 'category_not_found' })
})

test('siblings come by sort order, then name, each after its parent', async () => {
  const top = await create('Sorted')
  await create('B', top.id, { slug: 'sorted-b', sortOrder: 2 })
  const a = await create('A', top.id, { slug: 'sorted-a', sortOrder: 2 })
  await create('Z', top.id, { slug: 'sorted-z', sortOrder: 1 })
  await create('A1', a.id, { slug: 'sorted-a1' })
  expect(await pathsBelow(top.id)).toEqual([
    'sorted>sorted-z',
    'sorted>sorted-a',
    'sorted>sorted-a>sorted-a1',
    'sorted>sorted-b',
  ])
})

test('categories and brands are for staff to change', async () => {
  for (const client of [h.vendor, h.as(await staff('catalog.read'))]) {
    await expect(client.createCategory({ name: 'x' })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
    await expect(client.updateCategory({ categoryId: h.category.id, name: 'x' })).rejects.toMatchObject({
      status: 'PERMISSION_DENIED',
    })
    await expect(client.createBrand({ name: 'x' })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
    await expect(client.updateBrand({ brandId: newId(), name: 'x' })).rejects.toMatchObject({
      status: 'PERMISSION_DENIED',
    })
  }
  await expect(h.editor.createCategory({ name: '' })).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' })
})

test('a brand has one name whatever its case; renaming it reaches its products', async () => {
  const { brand } = await h.editor.createBrand({ name: 'Walton', logoUrl: 'https://cdn.example/w.png' })
  expect(brand).toMatchObject({ slug: 'walton', isActive: true })
  await expect(h.editor.createBrand({ name: ' WALTON ' })).rejects.toMatchObject({
    status: 'ALREADY_EXISTS',
    code: 'brand_exists',
  })
  await expect(h.editor.createBrand({ name: 'Other', slug: 'walton' })).rejects.toMatchObject({ code: 'slug_taken' })
  await expect(h.editor.updateBrand({ brandId: newId(), name: 'x' })).rejects.toMatchObject({ code: 'brand_not_found' })
  const product = await h.live({ brandId: brand!.id })

  await h.editor.updateBrand({ brandId: brand!.id, name: 'Walton Plus', logoUrl: '' })
  await h.editor.updateBrand({ brandId: brand!.id, name: 'Walton Plus' })
  await follow()
  const seen = await h.anyone.getProductBySlug({ slug: product.slug })
  expect(seen.brand).toMatchObject({ name: 'Walton Plus', logoUrl: '', slug: 'walton' })
  expect((await h.anyone.listProducts({ query: 'plus' })).products).toMatchObject([{ brandName: 'Walton Plus' }])
  expect((await h.eventsOf(ProductIndexRequested, product.id)).at(-1)?.product?.brandName).toBe('Walton Plus')
  const updates = (await h.service.emitted(BrandUpdated)).filter(({ data }) => data.brandId === brand!.id)
  expect(updates).toHaveLength(1)
  expect((await h.service.emitted(BrandCreated)).map(({ data }) => data.brandId)).toContain(brand!.id)
})

test('brands are found by part of the name, page by page, inactive ones by staff only', async () => {
  for (const name of ['Zeta One', 'Zeta Three', 'Zeta Two']) await h.editor.createBrand({ name })
  const first = await h.anyone.listBrands({ query: 'zETA', pageSize: 2 })
  const second = await h.anyone.listBrands({ query: 'zeta', pageSize: 2, pageToken: first.nextPageToken })
  expect([...first.brands, ...second.brands].map((b) => b.name)).toEqual(['Zeta One', 'Zeta Three', 'Zeta Two'])
  expect(second.nextPageToken).toBe('')
  await h.editor.updateBrand({ brandId: first.brands[0]!.id, isActive: false })
  const names = async (client: typeof h.anyone) =>
    (await client.listBrands({ query: 'zeta', includeInactive: true })).brands.map((b) => b.name)
  expect(await names(h.anyone)).toEqual(['Zeta Three', 'Zeta Two'])
  expect(await names(h.editor)).toHaveLength(3)
  expect((await h.anyone.listBrands({ query: '.*' })).brands).toEqual([])
  await expect(h.anyone.listBrands({ pageToken: 'nonsense' })).rejects.toMatchObject({ code: 'page_token_invalid' })
})
