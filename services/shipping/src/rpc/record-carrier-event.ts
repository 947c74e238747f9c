import { notFound, unauthenticated } from '@haat/kit/errors'
import type { RecordCarrierEventRequest, RecordCarrierEventResponse } from '@haat/proto/shipping/v1/shipping'
import { getCarrier } from '../carriers/carriers.ts'
import type { ShippingContext } from '../context.ts'
import { applyScans } from '../db/shipments.ts'

export async function recordCarrierEvent(
  ctx: ShippingContext,
  request: RecordCarrierEventRequest,
): Promise<RecordCarrierEventResponse> {
  const carrier = getCarrier(ctx.carriers, request.carrier)
  if (!carrier.verify(request.payload, request.signature, ctx.now()))
    throw unauthenticated('webhook_signature_invalid', 'the signature does not belong to this body')
  const { eventId, trackingNo, scans } = carrier.parse(request.payload)
  return ctx.db.transaction().execute(async (tx) => {
    const taken = await tx
      .insertInto('carrier_events')
      .values({ carrier: carrier.name, event_id: eventId })
      .onConflict((c) => c.doNothing())
      .returning('event_id')
      .executeTakeFirst()
    if (!taken) return { duplicate: true }
    if (trackingNo === undefined) return { duplicate: false }
    const shipment = await tx
      .selectFrom('shipments')
      .select('id')
      .where('tracking_no', '=', trackingNo.toUpperCase())
      .where('carrier', '=', carrier.name)
      .executeTakeFirst()
    // Nothing is kept: the carrier sends it again, and by then the label may be recorded.
    if (!shipment) throw notFound('tracking_not_found', 'no such tracking number')
    await applyScans(tx, shipment.id, scans, ctx.now())
    return { duplicate: false }
  })
}
