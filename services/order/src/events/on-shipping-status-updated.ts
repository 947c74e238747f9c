import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { ShippingStatusUpdated } from '@haat/proto/shipping/v1/events'
import { ShipmentStatus } from '@haat/proto/shipping/v1/shipping'
import type { OrderContext } from '../context.ts'
import { deliverPart, shipPart } from '../db/fulfilment.ts'
import { lockSale } from '../db/sales.ts'
import type { Database } from '../db/schema.ts'

/** The carrier's scans move the vendor order on, in whatever order they come; other states say nothing to it. */
export async function onShippingStatusUpdated(
  _ctx: OrderContext,
  event: Event<ShippingStatusUpdated>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorOrderId, orderId, status, carrier, trackingNo, description } = event.data
  const isDelivered = status === ShipmentStatus.DELIVERED
  if (!isDelivered && status !== ShipmentStatus.IN_TRANSIT) return
  const known = await tx
    .selectFrom('vendor_orders')
    .select('id')
    .where('id', '=', vendorOrderId)
    .where('order_id', '=', orderId)
    .executeTakeFirst()
  if (!known) return
  const sale = await lockSale(tx, orderId)
  const part = sale.parts.find((candidate) => candidate.row.id === vendorOrderId)!
  const at = event.data.occurredAt ?? new Date(event.envelope.occurredAt)
  const scan = { carrier, trackingNo, note: description, byUserId: null, at }
  // A delivery that overtook its own departure was shipped all the same.
  if (part.row.status === 'accepted') await shipPart(tx, sale, part, scan)
  if (isDelivered && part.row.status === 'shipped') await deliverPart(tx, sale, part, scan)
}
