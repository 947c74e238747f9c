import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { GetShipmentRequest, GetShipmentResponse } from '@haat/proto/shipping/v1/shipping'
import type { ShippingContext } from '../context.ts'
import { findItems, findScans, toShipment, toTrackingEvent } from '../db/shipments.ts'
import { mayTouch } from './scope.ts'

export async function getShipment(
  ctx: ShippingContext,
  request: GetShipmentRequest,
  call: Call,
): Promise<GetShipmentResponse> {
  const { $case, value } = request.key!
  const row = await ctx.db
    .selectFrom('shipments')
    .selectAll()
    .where($case === 'shipmentId' ? 'id' : 'vendor_order_id', '=', value)
    .executeTakeFirst()
  // A service that passes a person's request on sees what the person may see.
  const isService = call.service !== undefined && call.caller.kind !== 'user'
  if (!row || !(isService || mayTouch(call, row.vendor_id, 'shipping.read', 'orders.read')))
    throw notFound('shipment_not_found', 'no such shipment')
  const [items, scans] = await Promise.all([findItems(ctx.db, [row.id]), findScans(ctx.db, row.id)])
  return { shipment: toShipment(row, items.get(row.id)!, scans.map(toTrackingEvent)) }
}
