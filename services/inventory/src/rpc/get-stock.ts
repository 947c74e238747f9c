import { notFound } from '@haat/kit/errors'
import type { GetStockRequest, GetStockResponse } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { toAvailability } from '../db/stock.ts'

export async function getStock(ctx: InventoryContext, request: GetStockRequest): Promise<GetStockResponse> {
  const row = await ctx.db.selectFrom('inventory').selectAll().where('sku', '=', request.sku).executeTakeFirst()
  if (!row) throw notFound('stock_not_found', 'no such SKU')
  return { stock: toAvailability(row) }
}
