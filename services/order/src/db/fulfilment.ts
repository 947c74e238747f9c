import { emit } from '@haat/kit/events/emit'
import type { Transaction } from '@haat/kit/postgres'
import { VendorOrderAccepted, VendorOrderDelivered, VendorOrderShipped } from '@haat/proto/order/v1/events'
import { deriveStatus, movePart } from './changes.ts'
import { goodsLeft, vendorOrderHead } from './event-data.ts'
import type { Sale, VendorPart } from './sales.ts'
import type { Database } from './schema.ts'
import { addTimeline, type TimelineEvent } from './timeline.ts'

type Tx = Transaction<Database>

export type Scan = { carrier: string; trackingNo: string; note: string; byUserId: string | null; at: Date }

/** The vendor takes a pending vendor order. */
export async function acceptPart(
  tx: Tx,
  sale: Sale,
  part: VendorPart,
  byUserId: string | null,
  at: Date,
): Promise<void> {
  await movePart(tx, part, 'accept', { accepted_at: at }, at)
  await note(tx, part, 'accepted', { note: '', byUserId, at })
  await emit(tx, VendorOrderAccepted, {
    ...vendorOrderHead(sale.order, part),
    items: goodsLeft(part),
    shipTo: await shipTo(tx, sale),
    optionId: part.row.option_id,
    carrier: part.row.option_carrier,
    serviceLevel: part.row.service_level,
    acceptedAt: at,
  })
  await deriveStatus(tx, sale, at)
}

/** An accepted vendor order is on its way. */
export async function shipPart(tx: Tx, sale: Sale, part: VendorPart, scan: Scan): Promise<void> {
  const carrier = scan.carrier || part.row.carrier
  await movePart(tx, part, 'ship', { shipped_at: scan.at, carrier, tracking_no: scan.trackingNo }, scan.at)
  await note(tx, part, 'shipped', scan)
  await emit(tx, VendorOrderShipped, {
    ...vendorOrderHead(sale.order, part),
    items: goodsLeft(part),
    shipTo: await shipTo(tx, sale),
    carrier,
    trackingNo: scan.trackingNo,
    shippedAt: scan.at,
  })
  await deriveStatus(tx, sale, scan.at)
}

/** A shipped vendor order has arrived. */
export async function deliverPart(tx: Tx, sale: Sale, part: VendorPart, scan: Scan): Promise<void> {
  await movePart(tx, part, 'deliver', { delivered_at: scan.at }, scan.at)
  await note(tx, part, 'delivered', scan)
  await emit(tx, VendorOrderDelivered, {
    ...vendorOrderHead(sale.order, part),
    items: goodsLeft(part),
    carrier: part.row.carrier,
    trackingNo: part.row.tracking_no,
    deliveredAt: scan.at,
  })
  await deriveStatus(tx, sale, scan.at)
}

const note = (
  tx: Tx,
  { row }: VendorPart,
  event: TimelineEvent,
  entry: { note: string; byUserId: string | null; at: Date },
): Promise<void> => addTimeline(tx, { orderId: row.order_id, vendorOrderId: row.id, event, ...entry })

const shipTo = async (tx: Tx, sale: Sale) =>
  (
    await tx
      .selectFrom('order_addresses')
      .select('shipping_json')
      .where('order_id', '=', sale.order.id)
      .executeTakeFirstOrThrow()
  ).shipping_json
