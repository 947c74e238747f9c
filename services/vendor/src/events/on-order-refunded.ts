import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { OrderRefunded } from '@haat/proto/order/v1/events'
import type { VendorContext } from '../context.ts'
import { completeRefunds, insertEntries, lockSale, settleIfDue } from '../db/earnings.ts'
import type { Database } from '../db/schema.ts'
import { refundEntries } from '../domain/earnings.ts'
import { byId } from './order.ts'

/**
 * Reverses the vendor's share with the commission of the sale. It waits with the sale while that is pending; after that it
 * comes off the balance at once, which may make it negative until later sales cover it.
 */
export async function onOrderRefunded(
  ctx: VendorContext,
  event: Event<OrderRefunded>,
  tx: Transaction<Database>,
): Promise<void> {
  const { orderId, orderNo, refundId, vendorOrders } = event.data
  const now = ctx.now()
  for (const refunded of vendorOrders.toSorted(byId)) {
    const entries = refundEntries(refunded)
    const sale = await lockSale(tx, {
      vendor_order_id: refunded.vendorOrderId,
      vendor_id: refunded.vendorId,
      order_id: orderId,
      order_no: orderNo,
    })
    await insertEntries(tx, sale, entries, { type: 'refund', reference: refundId, at: now })
    await completeRefunds(tx, sale.vendor_order_id)
    await settleIfDue(tx, sale.vendor_order_id, now)
  }
}
