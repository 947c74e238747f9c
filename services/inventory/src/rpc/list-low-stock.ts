import type { Call } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import type { ListLowStockRequest, ListLowStockResponse } from '@haat/proto/inventory/v1/inventory'
import { sql } from 'kysely'
import type { InventoryContext } from '../context.ts'
import { toStockLevel } from '../db/stock.ts'
import { scopeOf } from './scope.ts'

export async function listLowStock(
  ctx: InventoryContext,
  request: ListLowStockRequest,
  call: Call,
): Promise<ListLowStockResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 2)
  const vendorId = scopeOf(call, request.vendorId)
  const unreserved = sql<number>`quantity_on_hand - quantity_reserved`
  let query = ctx.db
    .selectFrom('inventory')
    .selectAll()
    .where(sql<boolean>`quantity_on_hand - quantity_reserved <= reorder_point`)
    .orderBy(unreserved)
    .orderBy('sku')
    .limit(size + 1)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (after) query = query.where(sql<boolean>`(${unreserved}, sku) > (${Number(after[0])}, ${String(after[1])})`)
  const page = toPage(await query.execute(), size, (row) => [row.quantity_on_hand - row.quantity_reserved, row.sku])
  return { levels: page.items.map(toStockLevel), nextPageToken: page.nextPageToken }
}
