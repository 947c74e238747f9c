import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import type { Selectable } from '@haat/kit/postgres'
import type { Address } from '@haat/proto/common/v1/common'
import { ShippingLabelCreated } from '@haat/proto/shipping/v1/events'
import type { LabelAnswer } from '../carriers/carrier.ts'
import type { ShippingContext } from '../context.ts'
import type { ShipmentRow } from './schema.ts'
import { applyScans, findShipmentOf } from './shipments.ts'

// Longer than any attempt may take; after a crash the parcel is free again this much later.
const LEASE_SECONDS = 60

export type LabelAttempt = {
  vendorOrderId: string
  shipmentId: string
  orderNo: string
  carrier: string
  serviceLevel: string
  weightGrams: number
  shipTo: Address | null
}

type Claim =
  | { kind: 'shipped'; shipment: Selectable<ShipmentRow> }
  | { kind: 'cancelled' }
  | { kind: 'busy' }
  | { kind: 'mine'; attempt: LabelAttempt }

/**
 * Takes the right to make a vendor order's label for a minute. An attempt that was cut off goes on as it began, with its
 * carrier and its reference there: a label may have been bought already.
 */
export const claimLabel = (
  ctx: ShippingContext,
  vendorOrderId: string,
  wanted: { carrier: string; serviceLevel: string; weightGrams: number },
): Promise<Claim> =>
  ctx.db.transaction().execute(async (tx): Promise<Claim> => {
    const order = await tx
      .selectFrom('vendor_orders')
      .selectAll()
      .where('vendor_order_id', '=', vendorOrderId)
      .forUpdate()
      .executeTakeFirstOrThrow()
    if (order.state === 'cancelled') return { kind: 'cancelled' }
    const shipment = await findShipmentOf(tx, vendorOrderId)
    if (shipment) return { kind: 'shipped', shipment }
    const before = await tx
      .selectFrom('label_attempts')
      .selectAll()
      .where('vendor_order_id', '=', vendorOrderId)
      .executeTakeFirst()
    if (before && before.locked_until > ctx.now()) return { kind: 'busy' }
    const lockedUntil = new Date(ctx.now().getTime() + LEASE_SECONDS * 1000)
    const resumed = before && ctx.carriers.has(before.carrier) ? before : undefined
    const row = {
      vendor_order_id: vendorOrderId,
      shipment_id: resumed?.shipment_id ?? newId(),
      carrier: resumed?.carrier ?? wanted.carrier,
      service_level: resumed?.service_level ?? wanted.serviceLevel,
      weight_grams: resumed?.weight_grams ?? wanted.weightGrams,
      locked_until: lockedUntil,
    }
    await tx
      .insertInto('label_attempts')
      .values(row)
      .onConflict((c) => c.column('vendor_order_id').doUpdateSet(row))
      .execute()
    const attempt = {
      vendorOrderId,
      shipmentId: row.shipment_id,
      orderNo: order.order_no,
      carrier: row.carrier,
      serviceLevel: row.service_level,
      weightGrams: row.weight_grams,
      shipTo: order.ship_to,
    }
    return { kind: 'mine', attempt }
  })

/** Turns an attempt into a shipment and announces it; false when the vendor order was cancelled meanwhile. */
export const recordLabel = (ctx: ShippingContext, attempt: LabelAttempt, label: LabelAnswer): Promise<boolean> =>
  ctx.db.transaction().execute(async (tx) => {
    const { vendorOrderId, shipmentId: id } = attempt
    const order = await tx
      .selectFrom('vendor_orders')
      .selectAll()
      .where('vendor_order_id', '=', vendorOrderId)
      .forUpdate()
      .executeTakeFirstOrThrow()
    if (order.state === 'cancelled') return false
    await tx.deleteFrom('label_attempts').where('vendor_order_id', '=', vendorOrderId).execute()
    const now = ctx.now()
    const inserted = await tx
      .insertInto('shipments')
      .values({
        id,
        vendor_order_id: vendorOrderId,
        order_id: order.order_id,
        order_no: order.order_no,
        vendor_id: order.vendor_id,
        carrier: attempt.carrier,
        service_level: attempt.serviceLevel,
        tracking_no: label.trackingNo,
        label_url: label.labelUrl,
        status: 'label_created',
        weight_grams: attempt.weightGrams,
        ship_to: order.ship_to ? JSON.stringify(order.ship_to) : null,
        status_at: null,
        shipped_at: null,
        delivered_at: null,
        voided_at: null,
        created_at: now,
        updated_at: now,
      })
      .onConflict((c) => c.column('vendor_order_id').doNothing())
      .returning('id')
      .executeTakeFirst()
    if (!inserted) return true
    if (order.items.length)
      await tx
        .insertInto('shipment_items')
        .values(
          order.items.map(({ orderItemId, sku, title, qty }) => ({
            shipment_id: id,
            order_item_id: orderItemId,
            sku,
            title,
            qty,
          })),
        )
        .execute()
    await applyScans(
      tx,
      id,
      [{ id: 'label', status: 'label_created', description: 'Label created', location: '', occurredAt: now }],
      now,
    )
    await emit(tx, ShippingLabelCreated, {
      shipmentId: id,
      orderId: order.order_id,
      orderNo: order.order_no,
      vendorOrderId,
      vendorId: order.vendor_id,
      carrier: attempt.carrier,
      serviceLevel: attempt.serviceLevel,
      trackingNo: label.trackingNo,
      createdAt: now,
    })
    return true
  })

/** Ends this process's claim: the next request resumes the attempt, or (when nothing can have been bought) starts afresh. */
export async function releaseAttempt(
  ctx: ShippingContext,
  attempt: LabelAttempt,
  then: 'resume' | 'forget',
): Promise<void> {
  const { vendorOrderId, shipmentId } = attempt
  if (then === 'forget')
    await ctx.db
      .deleteFrom('label_attempts')
      .where('vendor_order_id', '=', vendorOrderId)
      .where('shipment_id', '=', shipmentId)
      .execute()
  else
    await ctx.db
      .updateTable('label_attempts')
      .set({ locked_until: ctx.now() })
      .where('vendor_order_id', '=', vendorOrderId)
      .where('shipment_id', '=', shipmentId)
      .execute()
}
