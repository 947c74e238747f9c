import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { GetLabelRequest, GetLabelResponse } from '@haat/proto/shipping/v1/shipping'
import { getCarrier } from '../carriers/carriers.ts'
import type { ShippingContext } from '../context.ts'
import { findItems } from '../db/shipments.ts'
import { mayTouch } from './scope.ts'

export async function getLabel(ctx: ShippingContext, request: GetLabelRequest, call: Call): Promise<GetLabelResponse> {
  const row = await ctx.db.selectFrom('shipments').selectAll().where('id', '=', request.shipmentId).executeTakeFirst()
  if (!row || !mayTouch(call, row.vendor_id, 'shipping.read', 'orders.read'))
    throw notFound('shipment_not_found', 'no such shipment')
  const items = (await findItems(ctx.db, [row.id])).get(row.id)!
  const content = await getCarrier(ctx.carriers, row.carrier).printLabel(
    {
      trackingNo: row.tracking_no,
      labelUrl: row.label_url,
      orderNo: row.order_no,
      serviceLevel: row.service_level,
      weightGrams: row.weight_grams,
      shipTo: row.ship_to ?? undefined,
      items,
      createdAt: row.created_at,
    },
    call.signal,
  )
  return { contentType: 'application/pdf', content: Buffer.from(content) }
}
