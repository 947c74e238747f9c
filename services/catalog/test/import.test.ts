import {
  type CatalogServiceClient,
  ChangeRequestStatus,
  type ImportOptions,
  type ImportRowError,
  type ImportSummary,
  ProductStatus,
} from '@haat/proto/catalog/v1/catalog'
import { ProductApproved, ProductCreated, ProductIndexRequested, ProductSubmitted } from '@haat/proto/catalog/v1/events'
import { vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const LINK = 'https://pictures.example/a.jpg'
const HEADER = 'product,title,description,categories,sku,price,currency,image_urls'

async function send(client: CatalogServiceClient, file: string | Buffer, options: Partial<ImportOptions> = {}) {
  const bytes = Buffer.from(file)
  async function* messages() {
    yield { part: { $case: 'options' as const, value: { dryRun: false, publish: false, ...options } } }
    for (let start = 0; start < bytes.length; start += 65_536)
      yield { part: { $case: 'chunk' as const, value: bytes.subarray(start, start + 65_536) } }
  }
  const errors: ImportRowError[] = []
  let summary: ImportSummary | undefined
  let progress = 0
  for await (const { part } of client.importProducts(messages())) {
    if (part?.$case === 'rowError') errors.push(part.value)
    else if (part?.$case === 'summary') summary = part.value
    else progress++
  }
  return { errors, summary: summary!, progress }
}

async function download(
  client: CatalogServiceClient,
  request: Parameters<CatalogServiceClient['exportProducts']>[0] = {},
) {
  const chunks: Buffer[] = []
  for await (const { chunk } of client.exportProducts(request)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

const file = (...rows: string[]) => [HEADER, ...rows].join('\n')
const row = (product: string, sku: string, price = '12.50') =>
  `${product},${product} title,Text,phones,${sku},${price},BDT,${LINK}`

test('rows make products and variants, and the same file again changes nothing', async () => {
  const text = [
    'product,title,description,categories,sku,price,compare_at_price,currency,weight_grams,length_mm,image_urls,option:Size,attr:Fabric',
    `tee,"Tee, ""soft""","Two\nlines",phones,TEE-S,10.00,12.00,BDT,150,300,${LINK},S,Cotton`,
    'tee,,,,TEE-M,11.00,,BDT,160,300,,M,',
    'mug,Mug,,phones,MUG-1,5.5,,BDT,,,,,',
  ].join('\r\n')
  const first = await send(h.vendor, text)
  expect(first).toMatchObject({
    errors: [],
    summary: { rowsRead: 3, productsCreated: 2, productsFailed: 0, dryRun: false },
  })
  const { products } = await h.vendor.listVendorProducts({ query: 'TEE-M' })
  const { product } = await h.vendor.getProduct({ productId: products[0]!.id })
  expect(product).toMatchObject({
    title: 'Tee, "soft"',
    description: 'Two\nlines',
    status: ProductStatus.DRAFT,
    options: [{ name: 'Size', values: ['S', 'M'] }],
    attributes: { Fabric: 'Cotton' },
    images: [{ fullUrl: LINK }],
    variants: [
      { sku: 'TEE-S', price: h.bdt(1000), compareAtPrice: h.bdt(1200), weightGrams: 150, optionValues: { Size: 'S' } },
      { sku: 'TEE-M', price: h.bdt(1100), taxClass: 'standard', dimensions: { lengthMm: 300 } },
    ],
  })
  expect(await h.eventsOf(ProductCreated, product!.id)).toHaveLength(1)
  const again = await send(h.vendor, text)
  expect(again.summary).toMatchObject({ productsCreated: 0, productsUpdated: 0, productsUnchanged: 2, rowErrors: 0 })
  expect((await h.vendor.getProduct({ productId: product!.id })).product?.version).toBe(1n)
})

test('each bad row is told with its line, and keeps only its own product out', async () => {
  const { errors, summary } = await send(
    h.vendor,
    file(
      row('ok-1', 'OK-1'),
      row('bad-price', 'BAD-1', '1,2.3'),
      row('bad-price-2', 'BAD-2', '"1,50"'),
      row('bad-sku', 'BAD 3'),
      'bad-cat,T,D,nowhere,BAD-4,1.00,BDT,',
      'no-title,,D,phones,BAD-5,1.00,BDT,',
      'bad-image,T,D,phones,BAD-6,1.00,BDT,javascript:alert(1)',
      row('twice', 'OK-1'),
      row('ok-2', 'OK-2'),
      row('ok-1', 'APART'),
    ),
  )
  expect(errors.sort((a, b) => a.line - b.line).map((e) => [e.line, e.column, e.code])).toEqual([
    [3, '', 'row_malformed'],
    [4, 'price', 'price_invalid'],
    [5, 'sku', 'sku_invalid'],
    [6, 'categories', 'category_not_found'],
    [7, 'title', 'title_missing'],
    [8, 'image_urls', 'media_not_found'],
    [9, 'sku', 'sku_taken'],
    [11, '', 'product_rows_apart'],
  ])
  expect(summary).toMatchObject({ rowsRead: 10, productsCreated: 2, productsFailed: 8, rowErrors: 8 })
})

test('a dry run finds the same errors and writes nothing', async () => {
  const before = [
    await h.db.products.countDocuments(),
    await h.db.variants.countDocuments(),
    await h.db.media.countDocuments(),
  ]
  const { errors, summary } = await send(h.vendor, file(row('dry', 'DRY-1'), row('dry-bad', 'DRY-2', '-1')), {
    dryRun: true,
  })
  expect(errors).toMatchObject([{ line: 3, column: 'price', code: 'price_invalid', sku: 'DRY-2' }])
  expect(summary).toMatchObject({ dryRun: true, productsCreated: 1, productsFailed: 1 })
  expect([
    await h.db.products.countDocuments(),
    await h.db.variants.countDocuments(),
    await h.db.media.countDocuments(),
  ]).toEqual(before)
})

test('an import of a live product follows the rules of an edit: prices at once, the rest waits', async () => {
  const product = await h.live({ title: 'Imported lamp' })
  const { sku } = product.variants[0]!
  const text = `product,title,sku,price,currency\nx,Renamed lamp,${sku},99.00,BDT`
  expect((await send(h.vendor, text)).summary).toMatchObject({ productsUpdated: 1 })
  const { product: now } = await h.vendor.getProduct({ productId: product.id })
  expect(now).toMatchObject({ title: 'Imported lamp', description: product.description, images: product.images })
  expect(now?.variants[0]?.price).toEqual(h.bdt(9_900))
  const { changeRequests } = await h.vendor.listChangeRequests({ productId: product.id })
  expect(changeRequests).toMatchObject([{ status: ChangeRequestStatus.PENDING, changes: [{ field: 'title' }] }])
  expect((await send(h.vendor, text)).summary).toMatchObject({ productsUnchanged: 1 })
})

test("another vendor's SKU is taken, and its product untouched", async () => {
  const product = await h.live()
  const member = await vendorMember()
  await h.approveVendor(member.vendorId)
  const { errors } = await send(h.as(member), file(row('steal', product.variants[0]!.sku)))
  expect(errors).toMatchObject([{ code: 'sku_taken', sku: product.variants[0]!.sku }])
  await expect(send(h.as(member), file(), { vendorId: h.seller.vendorId })).rejects.toMatchObject({
    code: 'vendor_not_found',
  })
})

test("a vendor's new products go to review when asked; what is incomplete stays a draft and says so", async () => {
  const { errors, summary } = await send(h.vendor, file(row('pub-1', 'PUB-1'), 'pub-2,T,,phones,PUB-2,1.00,BDT,'), {
    publish: true,
  })
  expect(summary).toMatchObject({ productsCreated: 2 })
  expect(errors).toMatchObject([
    { line: 3, code: 'product_incomplete', message: expect.stringContaining('image, description') },
  ])
  const status = async (sku: string) => (await h.vendor.listVendorProducts({ query: sku })).products[0]!
  expect((await status('PUB-1')).status).toBe(ProductStatus.PENDING)
  expect((await status('PUB-2')).status).toBe(ProductStatus.DRAFT)
  expect(await h.eventsOf(ProductSubmitted, (await status('PUB-1')).id)).toHaveLength(1)
})

test('staff imports for many vendors and goes live at once', async () => {
  const other = await vendorMember()
  await h.approveVendor(other.vendorId)
  const slugs = [h.seller, other].map(({ vendorId }) => `shop-${vendorId.slice(-12)}`)
  const text = [
    'vendor,product,title,categories,sku,price,currency',
    `${slugs[0]},one,Staff one,phones,STAFF-1,1.00,BDT`,
    `${slugs[1]},one,Staff two,phones,STAFF-2,2.00,BDT`,
    'shop-nobody,one,Staff three,phones,STAFF-3,2.00,BDT',
  ].join('\n')
  await expect(send(h.editor, text.replace('vendor,', 'seller,'))).rejects.toMatchObject({
    code: 'import_header_invalid',
    details: { columns: ['seller', 'vendor'] },
  })
  const { errors, summary } = await send(h.editor, text, { publish: true })
  expect(summary).toMatchObject({ productsCreated: 2, productsFailed: 1 })
  expect(errors).toMatchObject([{ line: 4, column: 'vendor', code: 'vendor_not_found' }])
  const { variants } = await h.anyone.batchGetVariants({ skus: ['STAFF-1', 'STAFF-2'] })
  expect(variants.map((v) => [v.vendorId, v.sellable])).toEqual([
    [h.seller.vendorId, true],
    [other.vendorId, true],
  ])
  expect(await h.eventsOf(ProductApproved, variants[1]!.productId)).toMatchObject([{ imported: true }])
  expect(await h.eventsOf(ProductIndexRequested, variants[1]!.productId)).toHaveLength(1)
})

test('an exported file, imported again, changes nothing, formulas and options included', async () => {
  const member = await vendorMember()
  await h.approveVendor(member.vendorId)
  const client = h.as(member)
  const image = await h.upload(client)
  const content = h.content({
    title: '=SUM(A1) "quoted", with comma',
    description: "  'tis\nmultiline | text  ",
    images: [{ imageId: image.id, alt: 'keep me' }],
    attributes: { 'Dotted.key': '$value', Formula: '+1' },
    options: [
      { name: 'Color', values: ['Red', 'Blue'] },
      { name: 'Size', values: ['S', 'M', 'XL'] },
    ],
    seo: { title: 'kept', description: '', keywords: ['k'] },
    variants: [
      h.variant({
        optionValues: { Color: 'Blue', Size: 'M' },
        dimensions: { lengthMm: 1, widthMm: 0, heightMm: 3 },
        isActive: false,
      }),
      h.variant({ optionValues: { Color: 'Red', Size: 'S' }, compareAtPrice: h.bdt(60_000), imageId: image.id }),
    ],
  })
  const { product } = await client.createProduct({ vendorId: member.vendorId, content })
  const csv = await download(client)
  expect(csv).toContain(`"'=SUM(A1) ""quoted"", with comma"`)
  const { summary, errors } = await send(client, csv)
  expect(errors).toEqual([])
  expect(summary).toMatchObject({ productsUnchanged: 1, productsCreated: 0, productsUpdated: 0 })
  expect((await client.getProduct({ productId: product!.id })).product).toEqual(product)
})

test('staff exports everything with vendors, a vendor its own only', async () => {
  const everything = await download(h.editor)
  expect(everything.split('\r\n')[0]).toMatch(/^vendor,product,title/)
  expect(everything).toContain(`shop-${h.seller.vendorId.slice(-12)}`)
  const own = await download(h.vendor, { status: ProductStatus.ACTIVE })
  expect(own).not.toContain('STAFF-2')
  expect((await send(h.editor, everything)).summary).toMatchObject({ productsUpdated: 0, productsCreated: 0 })
  const other = h.as(await vendorMember())
  await expect(download(other, { vendorId: h.seller.vendorId })).rejects.toMatchObject({ code: 'vendor_not_found' })
})

test('a file that is no CSV is read up to where it breaks', async () => {
  const { errors, summary } = await send(
    h.vendor,
    file(row('before', 'BEFORE-1'), row('cut', 'CUT-1'), '"never closed'),
  )
  expect(errors).toMatchObject([{ code: 'csv_malformed' }])
  expect(summary).toMatchObject({ productsCreated: 1, productsFailed: 1 })
  expect((await h.vendor.listVendorProducts({ query: 'CUT-1' })).products).toEqual([])
})

test('an import without options, with a wrong header or without end is refused', async () => {
  async function* chunkFirst() {
    yield { part: { $case: 'chunk' as const, value: Buffer.from('x') } }
  }
  const drain = async (stream: AsyncIterable<unknown>) => {
    for await (const _ of stream);
  }
  await expect(drain(h.vendor.importProducts(chunkFirst()))).rejects.toMatchObject({ code: 'import_options_missing' })
  await expect(send(h.vendor, '')).rejects.toMatchObject({ code: 'import_header_invalid' })
  await expect(send(h.vendor, 'product,sku,sku,cost')).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    details: { columns: ['sku', 'cost', 'price', 'currency'] },
  })
  await expect(send(h.anyone, file())).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  const rows = Array.from({ length: 100_001 }, () => 'p,,,,,,,')
  await expect(send(h.vendor, file(...rows), { dryRun: true })).rejects.toMatchObject({
    status: 'RESOURCE_EXHAUSTED',
    code: 'import_too_large',
  })
})

test('a thousand products come in as batches', async () => {
  const rows = Array.from({ length: 1_000 }, (_, i) => row(`bulk-${i}`, `BULK-${i}`))
  const { summary, progress } = await send(h.vendor, file(...rows), { publish: true })
  expect(summary).toMatchObject({ productsCreated: 1_000, rowErrors: 0 })
  expect(progress).toBeGreaterThan(1)
})
