import type { Call } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { type ListShipmentsRequest, type ListShipmentsResponse, ShipmentStatus } from '@haat/proto/shipping/v1/shipping'
import type { ShippingContext } from '../context.ts'
import { findItems, shipmentStatus, toShipment } from '../db/shipments.ts'
import { scopeOf } from './scope.ts'

export async function listShipments(
  ctx: ShippingContext,
  request: ListShipmentsRequest,
  call: Call,
): Promise<ListShipmentsResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  const vendorId = scopeOf(call, request.vendorId)
  let query = ctx.db
    .selectFrom('shipments')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (request.orderId) query = query.where('order_id', '=', request.orderId)
  if (request.status !== ShipmentStatus.UNSPECIFIED)
    query = query.where('status', '=', shipmentStatus.toName(request.status))
  if (after) query = query.where('id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.id])
  const items = await findItems(
    ctx.db,
    page.items.map((row) => row.id),
  )
  return {
    shipments: page.items.map((row) => toShipment(row, items.get(row.id)!)),
    nextPageToken: page.nextPageToken,
  }
}
