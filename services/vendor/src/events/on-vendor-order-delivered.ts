import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { VendorOrderDelivered } from '@haat/proto/order/v1/events'
import type { VendorContext } from '../context.ts'
import { lockSales, settleIfDue } from '../db/earnings.ts'
import type { Database } from '../db/schema.ts'

const DAY_MS = 86_400_000

/** Starts the return window; the first delivery counts. */
export async function onVendorOrderDelivered(
  ctx: VendorContext,
  event: Event<VendorOrderDelivered>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorOrderId, vendorId, orderId, orderNo } = event.data
  const key = { vendor_order_id: vendorOrderId, vendor_id: vendorId, order_id: orderId, order_no: orderNo }
  const sale = (await lockSales(tx, [key])).get(vendorOrderId)!
  if (sale.delivered_at) return
  const deliveredAt = event.data.deliveredAt ?? new Date(event.envelope.occurredAt)
  const eligibleAt = new Date(deliveredAt.getTime() + ctx.returnWindowDays * DAY_MS)
  await tx
    .updateTable('vendor_order_sales')
    .set({ delivered_at: deliveredAt, eligible_at: eligibleAt })
    .where('vendor_order_id', '=', vendorOrderId)
    .execute()
  await tx
    .updateTable('vendor_earnings')
    .set({ eligible_at: eligibleAt, updated_at: ctx.now() })
    .where('vendor_order_id', '=', vendorOrderId)
    .where('status', '=', 'pending')
    .execute()
  await settleIfDue(tx, [vendorOrderId], ctx.now())
}
