import { enumNames } from '@haat/kit/enum'
import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import { ShippingStatusUpdated } from '@haat/proto/shipping/v1/events'
import { type Shipment, type ShipmentItem, ShipmentStatus, type TrackingEvent } from '@haat/proto/shipping/v1/shipping'
import type { Kysely } from 'kysely'
import { advance, inOrder, type Journey, notInFuture, type Scan } from '../domain/tracking.ts'
import type { Database, ShipmentRow, TrackingEventRow } from './schema.ts'

export const shipmentStatus = enumNames(ShipmentStatus)

type Row = Selectable<ShipmentRow>

export const toShipment = (row: Row, items: ShipmentItem[], events: TrackingEvent[] = []): Shipment => ({
  id: row.id,
  orderId: row.order_id,
  orderNo: row.order_no,
  vendorOrderId: row.vendor_order_id,
  vendorId: row.vendor_id,
  carrier: row.carrier,
  serviceLevel: row.service_level,
  trackingNo: row.tracking_no,
  labelUrl: row.label_url,
  status: shipmentStatus.fromName(row.status),
  items,
  weightGrams: row.weight_grams,
  shipTo: row.ship_to ?? undefined,
  events,
  createdAt: row.created_at,
  shippedAt: row.shipped_at ?? undefined,
  deliveredAt: row.delivered_at ?? undefined,
  updatedAt: row.updated_at,
})

export const toTrackingEvent = (row: Selectable<TrackingEventRow>): TrackingEvent => ({
  status: shipmentStatus.fromName(row.status),
  description: row.description,
  location: row.location,
  occurredAt: row.occurred_at,
})

/** Items of shipments by shipment id. */
export async function findItems(
  db: Kysely<Database>,
  shipmentIds: readonly string[],
): Promise<Map<string, ShipmentItem[]>> {
  const found = new Map<string, ShipmentItem[]>(shipmentIds.map((id) => [id, []]))
  if (shipmentIds.length === 0) return found
  const rows = await db
    .selectFrom('shipment_items')
    .selectAll()
    .where('shipment_id', 'in', shipmentIds)
    .orderBy('shipment_id')
    .orderBy('sku')
    .execute()
  for (const { shipment_id, order_item_id, sku, title, qty } of rows)
    found.get(shipment_id)!.push({ orderItemId: order_item_id, sku, title, qty })
  return found
}

/** A shipment's scans, oldest first. */
export const findScans = (db: Kysely<Database>, shipmentId: string): Promise<Selectable<TrackingEventRow>[]> =>
  db
    .selectFrom('tracking_events')
    .selectAll()
    .where('shipment_id', '=', shipmentId)
    .orderBy('occurred_at')
    .orderBy('id')
    .execute()

/** A vendor order's shipment, once it has a label. */
export const findShipmentOf = (db: Kysely<Database>, vendorOrderId: string): Promise<Row | undefined> =>
  db.selectFrom('shipments').selectAll().where('vendor_order_id', '=', vendorOrderId).executeTakeFirst()

/** The shipment with its items, without scans. */
export async function loadShipment(db: Kysely<Database>, row: Row): Promise<Shipment> {
  return toShipment(row, (await findItems(db, [row.id])).get(row.id)!)
}

/**
 * Records scans and moves the shipment on; scans that are known change nothing. Every change of the status is announced, in
 * the order in which the scans happened.
 */
export async function applyScans(
  tx: Transaction<Database>,
  shipmentId: string,
  scans: readonly Scan[],
  now: Date,
): Promise<void> {
  const row = await tx
    .selectFrom('shipments')
    .selectAll()
    .where('id', '=', shipmentId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  let journey: Journey = {
    status: row.status,
    statusAt: row.status_at ?? undefined,
    shippedAt: row.shipped_at ?? undefined,
    deliveredAt: row.delivered_at ?? undefined,
  }
  let isNews = false
  for (const given of inOrder(scans)) {
    const scan = notInFuture(given, now)
    const inserted = await tx
      .insertInto('tracking_events')
      .values({
        id: newId(),
        shipment_id: shipmentId,
        scan_id: scan.id,
        status: scan.status,
        description: scan.description,
        location: scan.location,
        occurred_at: scan.occurredAt,
      })
      .onConflict((c) => c.doNothing())
      .returning('id')
      .executeTakeFirst()
    if (!inserted) continue
    isNews = true
    const next = advance(journey, scan)
    if (next.status !== journey.status)
      await emit(tx, ShippingStatusUpdated, {
        shipmentId,
        orderId: row.order_id,
        orderNo: row.order_no,
        vendorOrderId: row.vendor_order_id,
        vendorId: row.vendor_id,
        carrier: row.carrier,
        trackingNo: row.tracking_no,
        status: shipmentStatus.fromName(next.status),
        description: scan.description,
        occurredAt: scan.occurredAt,
      })
    journey = next
  }
  if (!isNews) return
  await tx
    .updateTable('shipments')
    .set({
      status: journey.status,
      status_at: journey.statusAt ?? null,
      shipped_at: journey.shippedAt ?? null,
      delivered_at: journey.deliveredAt ?? null,
      updated_at: now,
    })
    .where('id', '=', shipmentId)
    .execute()
}
