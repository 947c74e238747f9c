import type { Call } from '@haat/kit/call'
import { enumNames } from '@haat/kit/enum'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { type ListMovementsRequest, type ListMovementsResponse, MovementKind } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { scopeOf } from './scope.ts'

const kinds = enumNames(MovementKind)

export async function listMovements(
  ctx: InventoryContext,
  request: ListMovementsRequest,
  call: Call,
): Promise<ListMovementsResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  const vendorId = scopeOf(call, request.vendorId)
  let query = ctx.db
    .selectFrom('stock_movements')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (request.sku) query = query.where('sku', '=', request.sku)
  if (request.reference) query = query.where('reference', '=', request.reference)
  if (after) query = query.where('id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.id])
  return {
    movements: page.items.map((row) => ({
      id: row.id,
      sku: row.sku,
      vendorId: row.vendor_id,
      kind: kinds.fromName(row.kind),
      delta: row.delta,
      onHandAfter: row.on_hand_after,
      reason: row.reason,
      reference: row.reference ?? '',
      note: row.note,
      byUserId: row.by_user_id ?? '',
      at: row.at,
    })),
    nextPageToken: page.nextPageToken,
  }
}
