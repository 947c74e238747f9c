import { notFound } from '@haat/kit/errors'
import { bodyStream } from '@haat/kit/http/input'
import { inputOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import {
  moneyFromJson,
  moneySchema,
  pageArgs,
  pageOf,
  pageQuery,
  skuSchema,
  slugSchema,
  strict,
  uuidSchema,
  z,
} from '@haat/kit/http/schemas'
import { enumSchema, enumSchemaOr, viewOf } from '@haat/kit/http/view'
import type { DeepPartial } from '@haat/proto/catalog/v1/catalog'
import {
  ChangeRequest,
  ChangeRequestStatus,
  CreateUploadResponse,
  Image,
  type ImportProductsRequest,
  ImportRowError,
  ImportSummary,
  PriceChange,
  Product,
  ProductCard,
  ProductContent,
  ProductStatus,
  UploadPurpose,
  Variant,
} from '@haat/proto/catalog/v1/catalog'
import { ownVendor, type VendorBffContext } from '../context.ts'

const tags = ['products']
const card = viewOf(ProductCard)
const product = viewOf(Product)
const variant = viewOf(Variant)
const change = viewOf(ChangeRequest)
const priceChange = viewOf(PriceChange)
const image = viewOf(Image)
const upload = viewOf(CreateUploadResponse, { name: 'Upload', omit: [] })
const rowError = viewOf(ImportRowError)
const importSummary = viewOf(ImportSummary)
const vendorId = z.object({ vendorId: uuidSchema })
const productId = z.object({ vendorId: uuidSchema, id: uuidSchema })
const IMPORT_LIMIT = 64 * 1024 * 1024
const MAX_ROW_ERRORS = 1_000

const list = route({
  method: 'get',
  path: '/vendors/{vendorId}/products',
  summary: 'My products in every state',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object({ ...pageQuery, status: enumSchema(ProductStatus).optional(), q: z.string().max(200).default('') }),
  response: pageOf(card.schema),
})
const create = route({
  method: 'post',
  path: '/vendors/{vendorId}/products',
  summary: 'Write a new product with its variants, as a draft',
  tags,
  auth: 'vendor',
  status: 201,
  params: vendorId,
  bodyLimitBytes: 256 * 1024,
  body: strict({ content: inputOf(ProductContent), slug: slugSchema.optional() }),
  response: product.schema,
})
const get = route({
  method: 'get',
  path: '/vendors/{vendorId}/products/{id}',
  summary: 'One of my products',
  tags,
  auth: 'vendor',
  params: productId,
  response: product.schema,
})
const update = route({
  method: 'patch',
  path: '/vendors/{vendorId}/products/{id}',
  summary: 'Change a product; what shoppers decide on goes back to review when it is live',
  tags,
  auth: 'vendor',
  params: productId,
  bodyLimitBytes: 256 * 1024,
  body: strict({ content: inputOf(ProductContent), expectedVersion: z.int().min(0) }),
  response: z.object({ product: product.schema, changeRequest: change.schema.nullable() }).openapi('ProductUpdated'),
})
const submit = route({
  method: 'post',
  path: '/vendors/{vendorId}/products/{id}/submit',
  summary: 'Ask for review',
  tags,
  auth: 'vendor',
  params: productId,
  response: product.schema,
})
const archive = route({
  method: 'delete',
  path: '/vendors/{vendorId}/products/{id}',
  summary: 'Take a product off the shop for good',
  tags,
  auth: 'vendor',
  params: productId,
  response: product.schema,
})
const setPrice = route({
  method: 'put',
  path: '/vendors/{vendorId}/variants/{sku}/price',
  summary: 'Set a price; it counts at once',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema, sku: skuSchema }),
  body: strict({ price: moneySchema, compareAtPrice: moneySchema.optional() }),
  response: variant.schema,
})
const priceHistory = route({
  method: 'get',
  path: '/vendors/{vendorId}/variants/{sku}/prices',
  summary: 'What the price was, newest first',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema, sku: skuSchema }),
  query: z.object(pageQuery),
  response: pageOf(priceChange.schema),
})
const listChanges = route({
  method: 'get',
  path: '/vendors/{vendorId}/change-requests',
  summary: 'My edits of live products and what became of them',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object({
    ...pageQuery,
    status: enumSchema(ChangeRequestStatus).optional(),
    productId: uuidSchema.optional(),
  }),
  response: pageOf(change.schema),
})
const createUpload = route({
  method: 'post',
  path: '/vendors/{vendorId}/uploads',
  summary: 'Where to upload an image of a product or my logo',
  tags,
  auth: 'vendor',
  rateClass: 'upload',
  params: vendorId,
  body: strict({
    purpose: enumSchemaOr(UploadPurpose, 'product'),
    fileName: z.string().min(1).max(255),
    contentType: z.string().min(1).max(100),
    sizeBytes: z.int().min(1).max(20_000_000),
    productId: uuidSchema.optional(),
  }),
  response: upload.schema,
})
const completeUpload = route({
  method: 'post',
  path: '/vendors/{vendorId}/uploads/{id}/complete',
  summary: 'The image is uploaded: check, resize and keep it',
  tags,
  auth: 'vendor',
  rateClass: 'upload',
  timeoutMs: 20_000,
  params: productId,
  response: image.schema,
})
const importCsv = route({
  method: 'post',
  path: '/vendors/{vendorId}/products/import',
  summary: 'Import products from CSV; answers what was done and every refused row (the first 1,000)',
  tags,
  auth: 'vendor',
  rateClass: 'upload',
  timeoutMs: 600_000,
  params: vendorId,
  query: z.object({ dry_run: z.stringbool().default(false), publish: z.stringbool().default(false) }),
  upload: { kind: 'stream', accepts: ['text/csv'], limitBytes: IMPORT_LIMIT },
  response: z.object({ summary: importSummary.schema, errors: z.array(rowError.schema) }).openapi('Imported'),
})
const exportCsv = route({
  method: 'get',
  path: '/vendors/{vendorId}/products.csv',
  summary: 'Export my products as CSV',
  tags,
  auth: 'vendor',
  rateClass: 'export',
  timeoutMs: 120_000,
  contentType: 'text/csv',
  params: vendorId,
})

export function productRoutes(ctx: VendorBffContext) {
  /** A product of the path's vendor; any other answers like one that does not exist. */
  const parts = async (
    own: string,
    request: AsyncGenerator<Uint8Array>,
    options: { dryRun: boolean; publish: boolean },
  ) => {
    async function* messages(): AsyncGenerator<DeepPartial<ImportProductsRequest>> {
      yield { part: { $case: 'options', value: { vendorId: own, ...options } } }
      for await (const bytes of request)
        for (let at = 0; at < bytes.length; at += 60_000)
          yield { part: { $case: 'chunk', value: Buffer.from(bytes.subarray(at, at + 60_000)) } }
    }
    const errors: ImportRowError[] = []
    let summary: ImportSummary | undefined
    for await (const { part } of ctx.catalog.importProducts(messages())) {
      if (part?.$case === 'rowError' && errors.length < MAX_ROW_ERRORS) errors.push(part.value)
      if (part?.$case === 'summary') summary = part.value
    }
    return { summary: importSummary.toJson(summary!), errors: errors.map(rowError.toJson) }
  }
  return createRoutes()
    .openapi(list, async (c) => {
      const { status, q, ...page } = c.req.valid('query')
      const answer = await ctx.catalog.listVendorProducts({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        query: q,
        ...pageArgs(page),
        ...(status ? { status } : {}),
      })
      return c.json({ items: answer.products.map(card.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(create, async (c) => {
      const { content, slug } = c.req.valid('json')
      const answer = await ctx.catalog.createProduct({ ...c.req.valid('param'), content, ...(slug ? { slug } : {}) })
      return c.json(product.toJson(answer.product!), 201)
    })
    .openapi(get, async (c) => {
      const own = ownVendor(c, c.req.valid('param').vendorId)
      const found = (await ctx.catalog.getProduct({ productId: c.req.valid('param').id })).product!
      if (found.vendorId !== own) throw notFound('product_not_found', 'no such product')
      return c.json(product.toJson(found), 200)
    })
    .openapi(update, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const { content, expectedVersion } = c.req.valid('json')
      const answer = await ctx.catalog.updateProduct({
        productId: c.req.valid('param').id,
        expectedVersion: BigInt(expectedVersion),
        content,
      })
      const changeRequest = answer.changeRequest ? change.toJson(answer.changeRequest) : null
      return c.json({ product: product.toJson(answer.product!), changeRequest }, 200)
    })
    .openapi(submit, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.catalog.submitProduct({ productId: c.req.valid('param').id })
      return c.json(product.toJson(answer.product!), 200)
    })
    .openapi(archive, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.catalog.archiveProduct({ productId: c.req.valid('param').id })
      return c.json(product.toJson(answer.product!), 200)
    })
    .openapi(setPrice, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const { price, compareAtPrice } = c.req.valid('json')
      const answer = await ctx.catalog.setPrice({
        sku: c.req.valid('param').sku,
        price: moneyFromJson(price),
        ...(compareAtPrice ? { compareAtPrice: moneyFromJson(compareAtPrice) } : {}),
      })
      return c.json(variant.toJson(answer.variant!), 200)
    })
    .openapi(priceHistory, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.catalog.listPriceHistory({
        sku: c.req.valid('param').sku,
        ...pageArgs(c.req.valid('query')),
      })
      return c.json({ items: answer.prices.map(priceChange.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(listChanges, async (c) => {
      const { status, productId: of, ...page } = c.req.valid('query')
      const answer = await ctx.catalog.listChangeRequests({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        ...pageArgs(page),
        ...(status ? { status } : {}),
        ...(of ? { productId: of } : {}),
      })
      return c.json({ items: answer.changeRequests.map(change.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(createUpload, async (c) => {
      const { productId: of, ...rest } = c.req.valid('json')
      const answer = await ctx.catalog.createUpload({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        ...rest,
        ...(of ? { productId: of } : {}),
      })
      return c.json(upload.toJson(answer), 200)
    })
    .openapi(completeUpload, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.catalog.completeUpload({ uploadId: c.req.valid('param').id })
      return c.json(image.toJson(answer.image!), 200)
    })
    .openapi(importCsv, async (c) => {
      const own = ownVendor(c, c.req.valid('param').vendorId)
      const { dry_run, publish } = c.req.valid('query')
      return c.json(await parts(own, bodyStream(c, IMPORT_LIMIT), { dryRun: dry_run, publish }), 200)
    })
    .openapi(exportCsv, async (c) => {
      const own = ownVendor(c, c.req.valid('param').vendorId)
      const chunks = ctx.catalog.exportProducts({ vendorId: own })[Symbol.asyncIterator]()
      // The first chunk is awaited, so that a refusal is still an error answer and not a broken download.
      const first = await chunks.next()
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const next = await chunks.next()
          if (next.done) controller.close()
          else controller.enqueue(next.value.chunk)
        },
        start: (controller) => {
          if (!first.done) controller.enqueue(first.value.chunk)
        },
        cancel: () => void chunks.return?.(),
      })
      return c.body(body, 200, {
        'Content-Type': 'text/csv',
        'Content-Disposition': 'attachment; filename="products.csv"',
      })
    })
}
