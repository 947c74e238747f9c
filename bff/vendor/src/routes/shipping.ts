import { inputOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageArgs, pageOf, pageQuery, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import { RateTable, UpsertRateTableRequest } from '@haat/proto/shipping/v1/shipping'
import { ownVendor, type VendorBffContext } from '../context.ts'

const tags = ['shipping']
const table = viewOf(RateTable)
const vendorId = z.object({ vendorId: uuidSchema })

const list = route({
  method: 'get',
  path: '/vendors/{vendorId}/rate-tables',
  summary: "My delivery rates; without any, the platform's apply",
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object(pageQuery),
  response: pageOf(table.schema),
})
const upsert = route({
  method: 'put',
  path: '/vendors/{vendorId}/rate-tables',
  summary: 'Write a rate table: flat, by weight or by total, for some countries or all',
  tags,
  auth: 'vendor',
  params: vendorId,
  body: inputOf(UpsertRateTableRequest, { omit: ['vendorId'] }),
  response: table.schema,
})
const remove = route({
  method: 'delete',
  path: '/vendors/{vendorId}/rate-tables/{id}',
  summary: 'Delete a rate table',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema, id: uuidSchema }),
})

export function shippingRoutes(ctx: VendorBffContext) {
  return createRoutes()
    .openapi(list, async (c) => {
      const answer = await ctx.shipping.listRateTables({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        ...pageArgs(c.req.valid('query')),
      })
      return c.json({ items: answer.rateTables.map(table.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(upsert, async (c) => {
      const answer = await ctx.shipping.upsertRateTable({ ...c.req.valid('json'), ...c.req.valid('param') })
      return c.json(table.toJson(answer.rateTable!), 200)
    })
    .openapi(remove, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      await ctx.shipping.deleteRateTable({ rateTableId: c.req.valid('param').id })
      return c.body(null, 204)
    })
}
