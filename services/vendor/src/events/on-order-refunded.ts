import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { OrderRefunded } from '@haat/proto/order/v1/events'
import type { VendorContext } from '../context.ts'
import { book } from '../db/earnings.ts'
import type { Database } from '../db/schema.ts'
import { refundEntries } from '../domain/earnings.ts'

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
  const parts = vendorOrders.map((refunded) => {
    const { vendorOrderId, vendorId } = refunded
    return { vendorOrderId, vendorId, entries: refundEntries(refunded) }
  })
  await book(tx, { type: 'refund', orderId, orderNo, reference: refundId, at: ctx.now(), parts })
}
