import type { BatchGetStockRequest, BatchGetStockResponse } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { toAvailability } from '../db/stock.ts'

export async function batchGetStock(
  ctx: InventoryContext,
  request: BatchGetStockRequest,
): Promise<BatchGetStockResponse> {
  const rows = await ctx.db.selectFrom('inventory').selectAll().where('sku', 'in', request.skus).execute()
  const bySku = new Map(rows.map((row) => [row.sku, row]))
  return { stocks: request.skus.flatMap((sku) => bySku.get(sku) ?? []).map(toAvailability) }
}
