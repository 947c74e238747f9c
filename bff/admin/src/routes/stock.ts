import { inputOf, queryOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import {
  ListLowStockRequest,
  StockDifference,
  StockLevel,
  VerifyStockRequest,
} from '@haat/proto/inventory/v1/inventory'
import { ListRateTablesRequest, RateTable, UpsertRateTableRequest } from '@haat/proto/shipping/v1/shipping'
import type { AdminBffContext } from '../context.ts'

const level = viewOf(StockLevel)
const difference = viewOf(StockDifference)
const table = viewOf(RateTable)

const low = route({
  method: 'get',
  path: '/admin/inventory/low',
  summary: 'What is running out, at all vendors',
  tags: ['stock'],
  auth: 'staff',
  query: queryOf(ListLowStockRequest),
  response: pageOf(level.schema),
})
const verify = route({
  method: 'get',
  path: '/admin/inventory/verify',
  summary: 'Recount: stock against movements and reservations',
  tags: ['stock'],
  auth: 'staff',
  timeoutMs: 15_000,
  query: queryOf(VerifyStockRequest),
  response: z.object({ checked: z.int(), differences: z.array(difference.schema) }).openapi('StockVerified'),
})
const listTables = route({
  method: 'get',
  path: '/admin/rate-tables',
  summary: 'Delivery rates of the platform and of all vendors',
  tags: ['shipping'],
  auth: 'staff',
  query: queryOf(ListRateTablesRequest),
  response: pageOf(table.schema),
})
const putTable = route({
  method: 'put',
  path: '/admin/rate-tables',
  summary: 'Write a rate table',
  tags: ['shipping'],
  auth: 'staff',
  body: inputOf(UpsertRateTableRequest),
  response: table.schema,
})
const deleteTable = route({
  method: 'delete',
  path: '/admin/rate-tables/{id}',
  summary: 'Delete a rate table',
  tags: ['shipping'],
  auth: 'staff',
  params: z.object({ id: uuidSchema }),
})

export function stockRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(low, async (c) => {
      const { levels, nextPageToken } = await ctx.inventory.listLowStock(c.req.valid('query'))
      return c.json({ items: levels.map(level.toJson), nextPageToken }, 200)
    })
    .openapi(verify, async (c) => {
      const { checked, differences } = await ctx.inventory.verifyStock(c.req.valid('query'))
      return c.json({ checked, differences: differences.map(difference.toJson) }, 200)
    })
    .openapi(listTables, async (c) => {
      const answer = await ctx.shipping.listRateTables(c.req.valid('query'))
      return c.json({ items: answer.rateTables.map(table.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(putTable, async (c) =>
      c.json(table.toJson((await ctx.shipping.upsertRateTable(c.req.valid('json'))).rateTable!), 200),
    )
    .openapi(deleteTable, async (c) => {
      await ctx.shipping.deleteRateTable({ rateTableId: c.req.valid('param').id })
      return c.body(null, 204)
    })
}
