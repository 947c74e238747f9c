import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { OrderPaid } from '@haat/proto/order/v1/events'
import type { VendorContext } from '../context.ts'
import { book } from '../db/earnings.ts'
import type { Database } from '../db/schema.ts'
import { saleEntries } from '../domain/earnings.ts'

/** Books what each vendor earns by the order's frozen numbers; pending until delivery and the end of the return window. */
export async function onOrderPaid(
  ctx: VendorContext,
  event: Event<OrderPaid>,
  tx: Transaction<Database>,
): Promise<void> {
  const { orderId, orderNo, vendorOrders } = event.data
  const parts = vendorOrders.map((sold) => {
    const { vendorOrderId, vendorId, vendorNet: earned } = sold
    return { vendorOrderId, vendorId, earned, entries: saleEntries(sold) }
  })
  await book(tx, { type: 'sale', orderId, orderNo, reference: orderId, at: ctx.now(), parts })
}
