import { bodyStream } from '@haat/kit/http/input'
import { inputOf, queryOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import {
  Approval,
  Brand,
  Category,
  CreateBrandRequest,
  CreateCategoryRequest,
  type DeepPartial,
  type ImportProductsRequest,
  ImportRowError,
  ImportSummary,
  ListApprovalsRequest,
  ListVendorProductsRequest,
  Product,
  ProductCard,
  UpdateBrandRequest,
  UpdateCategoryRequest,
} from '@haat/proto/catalog/v1/catalog'
import type { AdminBffContext } from '../context.ts'

const tags = ['catalogue']
const category = viewOf(Category)
const brand = viewOf(Brand)
const product = viewOf(Product)
const card = viewOf(ProductCard)
const approval = viewOf(Approval)
const rowError = viewOf(ImportRowError)
const importSummary = viewOf(ImportSummary)
const id = z.object({ id: uuidSchema })
const IMPORT_LIMIT = 64 * 1024 * 1024
const MAX_ROW_ERRORS = 1_000

const listCategories = route({
  method: 'get',
  path: '/admin/categories',
  summary: 'The whole category tree, inactive ones too',
  tags,
  auth: 'staff',
  response: z.object({ items: z.array(category.schema) }).openapi('Categories'),
})
const createCategory = route({
  method: 'post',
  path: '/admin/categories',
  summary: 'Add a category',
  tags,
  auth: 'staff',
  status: 201,
  body: inputOf(CreateCategoryRequest),
  response: category.schema,
})
const updateCategory = route({
  method: 'patch',
  path: '/admin/categories/{id}',
  summary: 'Change or move a category; its subtree moves along',
  tags,
  auth: 'staff',
  params: id,
  body: inputOf(UpdateCategoryRequest, { omit: ['categoryId'] }),
  response: category.schema,
})
const createBrand = route({
  method: 'post',
  path: '/admin/brands',
  summary: 'Add a brand',
  tags,
  auth: 'staff',
  status: 201,
  body: inputOf(CreateBrandRequest),
  response: brand.schema,
})
const updateBrand = route({
  method: 'patch',
  path: '/admin/brands/{id}',
  summary: 'Change a brand',
  tags,
  auth: 'staff',
  params: id,
  body: inputOf(UpdateBrandRequest, { omit: ['brandId'] }),
  response: brand.schema,
})
const listProducts = route({
  method: 'get',
  path: '/admin/products',
  summary: 'Products of all vendors in every state',
  tags,
  auth: 'staff',
  query: queryOf(ListVendorProductsRequest),
  response: pageOf(card.schema),
})
const getProduct = route({
  method: 'get',
  path: '/admin/products/{id}',
  summary: 'A product in any state',
  tags,
  auth: 'staff',
  params: id,
  response: product.schema,
})
const approvals = route({
  method: 'get',
  path: '/admin/approvals/products',
  summary: 'What waits for a decision, longest wait first',
  tags,
  auth: 'staff',
  query: queryOf(ListApprovalsRequest),
  response: pageOf(approval.schema),
})
const approve = route({
  method: 'patch',
  path: '/admin/products/{id}/approve',
  summary: 'Approve a product, or an edit of a live one',
  tags,
  auth: 'staff',
  params: id,
  body: strict({ changeRequestId: uuidSchema.optional(), expectedVersion: z.int().min(0).optional() }),
  response: product.schema,
})
const reject = route({
  method: 'patch',
  path: '/admin/products/{id}/reject',
  summary: 'Reject a product or an edit, with the reason the vendor reads',
  tags,
  auth: 'staff',
  params: id,
  body: strict({ changeRequestId: uuidSchema.optional(), reason: z.string().trim().min(1).max(1000) }),
  response: product.schema,
})
const archive = route({
  method: 'delete',
  path: '/admin/products/{id}',
  summary: 'Take a product off the shop for good',
  tags,
  auth: 'staff',
  params: id,
  response: product.schema,
})
const importCsv = route({
  method: 'post',
  path: '/admin/products/import',
  summary: 'Import products of several vendors from CSV (column `vendor` names the vendor by its slug)',
  tags,
  auth: 'staff',
  rateClass: 'upload',
  timeoutMs: 600_000,
  query: z.object({ dry_run: z.stringbool().default(false), publish: z.stringbool().default(false) }),
  upload: { kind: 'stream', accepts: ['text/csv'], limitBytes: IMPORT_LIMIT },
  response: z.object({ summary: importSummary.schema, errors: z.array(rowError.schema) }).openapi('Imported'),
})

export function catalogRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(listCategories, async (c) => {
      const { categories } = await ctx.catalog.listCategories({ includeInactive: true })
      return c.json({ items: categories.map(category.toJson) }, 200)
    })
    .openapi(createCategory, async (c) =>
      c.json(category.toJson((await ctx.catalog.createCategory(c.req.valid('json'))).category!), 201),
    )
    .openapi(updateCategory, async (c) => {
      const answer = await ctx.catalog.updateCategory({ ...c.req.valid('json'), categoryId: c.req.valid('param').id })
      return c.json(category.toJson(answer.category!), 200)
    })
    .openapi(createBrand, async (c) =>
      c.json(brand.toJson((await ctx.catalog.createBrand(c.req.valid('json'))).brand!), 201),
    )
    .openapi(updateBrand, async (c) => {
      const answer = await ctx.catalog.updateBrand({ ...c.req.valid('json'), brandId: c.req.valid('param').id })
      return c.json(brand.toJson(answer.brand!), 200)
    })
    .openapi(listProducts, async (c) => {
      const { products, nextPageToken } = await ctx.catalog.listVendorProducts(c.req.valid('query'))
      return c.json({ items: products.map(card.toJson), nextPageToken }, 200)
    })
    .openapi(getProduct, async (c) =>
      c.json(product.toJson((await ctx.catalog.getProduct({ productId: c.req.valid('param').id })).product!), 200),
    )
    .openapi(approvals, async (c) => {
      const answer = await ctx.catalog.listApprovals(c.req.valid('query'))
      return c.json({ items: answer.approvals.map(approval.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(approve, async (c) => {
      const { changeRequestId, expectedVersion } = c.req.valid('json')
      const answer = await ctx.catalog.approveProduct({
        productId: c.req.valid('param').id,
        ...(changeRequestId ? { changeRequestId } : {}),
        ...(expectedVersion === undefined ? {} : { expectedVersion: BigInt(expectedVersion) }),
      })
      return c.json(product.toJson(answer.product!), 200)
    })
    .openapi(reject, async (c) => {
      const { changeRequestId, reason } = c.req.valid('json')
      const answer = await ctx.catalog.rejectProduct({
        productId: c.req.valid('param').id,
        reason,
        ...(changeRequestId ? { changeRequestId } : {}),
      })
      return c.json(product.toJson(answer.product!), 200)
    })
    .openapi(archive, async (c) => {
      const answer = await ctx.catalog.archiveProduct({ productId: c.req.valid('param').id })
      return c.json(product.toJson(answer.product!), 200)
    })
    .openapi(importCsv, async (c) => {
      const { dry_run: dryRun, publish } = c.req.valid('query')
      async function* messages(): AsyncGenerator<DeepPartial<ImportProductsRequest>> {
        yield { part: { $case: 'options', value: { dryRun, publish } } }
        for await (const bytes of bodyStream(c, IMPORT_LIMIT))
          for (let at = 0; at < bytes.length; at += 60_000)
            yield { part: { $case: 'chunk', value: Buffer.from(bytes.subarray(at, at + 60_000)) } }
      }
      const errors: ImportRowError[] = []
      let summary: ImportSummary | undefined
      for await (const { part } of ctx.catalog.importProducts(messages())) {
        if (part?.$case === 'rowError' && errors.length < MAX_ROW_ERRORS) errors.push(part.value)
        if (part?.$case === 'summary') summary = part.value
      }
      return c.json({ summary: importSummary.toJson(summary!), errors: errors.map(rowError.toJson) }, 200)
    })
}
