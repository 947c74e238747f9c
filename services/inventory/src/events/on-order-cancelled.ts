import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import { ReleaseReason, RestockReason } from '@haat/proto/inventory/v1/inventory'
import type { OrderCancelled } from '@haat/proto/order/v1/events'
import type { InventoryContext } from '../context.ts'
import { findReservation, releaseReservation } from '../db/reservations.ts'
import { restockOnce } from '../db/restocks.ts'
import type { Database } from '../db/schema.ts'

/** Gives back what the order holds; goods it had bought already go back on the shelf. */
export async function onOrderCancelled(
  _ctx: InventoryContext,
  event: Event<OrderCancelled>,
  tx: Transaction<Database>,
): Promise<void> {
  const { orderId } = event.data
  const released = await releaseReservation(tx, orderId, 'released', ReleaseReason.CANCELLED)
  if (released.length) return
  const standing = await findReservation(tx, orderId)
  if (standing[0]?.state !== 'committed') return
  const qtyOf = new Map<string, number>()
  for (const { sku, qty } of event.data.lines) qtyOf.set(sku, (qtyOf.get(sku) ?? 0) + qty)
  const lines = [...qtyOf].map(([sku, qty]) => ({ sku, qty }))
  if (lines.length) await restockOnce(tx, { reference: orderId, orderId, lines, reason: RestockReason.CANCELLED })
}
