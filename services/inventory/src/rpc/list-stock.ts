import type { Call } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import type { ListStockRequest, ListStockResponse } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { toStockLevel } from '../db/stock.ts'
import { scopeOf } from './scope.ts'

export async function listStock(
  ctx: InventoryContext,
  request: ListStockRequest,
  call: Call,
): Promise<ListStockResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  const vendorId = scopeOf(call, request.vendorId)
  let query = ctx.db
    .selectFrom('inventory')
    .selectAll()
    .orderBy('sku')
    .limit(size + 1)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (request.productId) query = query.where('product_id', '=', request.productId)
  if (request.skus.length) query = query.where('sku', 'in', request.skus)
  if (after) query = query.where('sku', '>', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.sku])
  return { levels: page.items.map(toStockLevel), nextPageToken: page.nextPageToken }
}
