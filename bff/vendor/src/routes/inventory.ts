import { inputOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageArgs, pageOf, pageQuery, skuSchema, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import { AdjustStockRequest, SetStockRequest, StockLevel, StockMovement } from '@haat/proto/inventory/v1/inventory'
import { ownVendor, type VendorBffContext } from '../context.ts'

const tags = ['stock']
const level = viewOf(StockLevel)
const movement = viewOf(StockMovement)
const vendorId = z.object({ vendorId: uuidSchema })
const stockOf = z.object({ vendorId: uuidSchema, sku: skuSchema })

const list = route({
  method: 'get',
  path: '/vendors/{vendorId}/inventory',
  summary: 'My stock by SKU',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object({ ...pageQuery, productId: uuidSchema.optional() }),
  response: pageOf(level.schema),
})
const low = route({
  method: 'get',
  path: '/vendors/{vendorId}/inventory/low',
  summary: 'What is running out, lowest first',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object(pageQuery),
  response: pageOf(level.schema),
})
const movements = route({
  method: 'get',
  path: '/vendors/{vendorId}/inventory/movements',
  summary: 'What changed my stock, newest first',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object({ ...pageQuery, sku: skuSchema.optional() }),
  response: pageOf(movement.schema),
})
const set = route({
  method: 'patch',
  path: '/vendors/{vendorId}/inventory/{sku}',
  summary: 'Set the count and the settings of a SKU',
  tags,
  auth: 'vendor',
  params: stockOf,
  body: inputOf(SetStockRequest, { omit: ['vendorId', 'sku'] }),
  response: level.schema,
})
const adjust = route({
  method: 'post',
  path: '/vendors/{vendorId}/inventory/{sku}/adjust',
  summary: 'Add to or take from the count, with a reason',
  tags,
  auth: 'vendor',
  params: stockOf,
  body: inputOf(AdjustStockRequest, { omit: ['vendorId', 'sku'] }),
  response: level.schema,
})

export function inventoryRoutes(ctx: VendorBffContext) {
  return createRoutes()
    .openapi(list, async (c) => {
      const { productId, ...page } = c.req.valid('query')
      const answer = await ctx.inventory.listStock({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        ...pageArgs(page),
        ...(productId ? { productId } : {}),
      })
      return c.json({ items: answer.levels.map(level.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(low, async (c) => {
      const answer = await ctx.inventory.listLowStock({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        ...pageArgs(c.req.valid('query')),
      })
      return c.json({ items: answer.levels.map(level.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(movements, async (c) => {
      const { sku, ...page } = c.req.valid('query')
      const answer = await ctx.inventory.listMovements({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        ...pageArgs(page),
        ...(sku ? { sku } : {}),
      })
      return c.json({ items: answer.movements.map(movement.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(set, async (c) => {
      const answer = await ctx.inventory.setStock({ ...c.req.valid('json'), ...c.req.valid('param') })
      return c.json(level.toJson(answer.level!), 200)
    })
    .openapi(adjust, async (c) => {
      const answer = await ctx.inventory.adjustStock({ ...c.req.valid('json'), ...c.req.valid('param') })
      return c.json(level.toJson(answer.level!), 200)
    })
}
