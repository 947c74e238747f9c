import { notFound } from '@haat/kit/errors'
import type { TrackRequest, TrackResponse } from '@haat/proto/shipping/v1/shipping'
import type { ShippingContext } from '../context.ts'
import { findScans, shipmentStatus, toTrackingEvent } from '../db/shipments.ts'

export async function track(ctx: ShippingContext, request: TrackRequest): Promise<TrackResponse> {
  // Two carriers may use one number; the younger parcel is the one somebody waits for.
  const row = await ctx.db
    .selectFrom('shipments')
    .selectAll()
    .where('tracking_no', '=', request.trackingNo.toUpperCase())
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!row) throw notFound('tracking_not_found', 'no such tracking number')
  return {
    trackingNo: row.tracking_no,
    carrier: row.carrier,
    serviceLevel: row.service_level,
    status: shipmentStatus.fromName(row.status),
    events: (await findScans(ctx.db, row.id)).map(toTrackingEvent),
    shippedAt: row.shipped_at ?? undefined,
    deliveredAt: row.delivered_at ?? undefined,
  }
}
