import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { OrderPaid } from '@haat/proto/order/v1/events'
import type { VendorContext } from '../context.ts'
import { completeRefunds, insertEntries, lockSale, settleIfDue } from '../db/earnings.ts'
import type { Database } from '../db/schema.ts'
import { saleEntries } from '../domain/earnings.ts'
import { byId } from './order.ts'

/** Books what each vendor earns by the order's frozen numbers; pending until delivery and the end of the return window. */
export async function onOrderPaid(
  ctx: VendorContext,
  event: Event<OrderPaid>,
  tx: Transaction<Database>,
): Promise<void> {
  const { orderId, orderNo, vendorOrders } = event.data
  const now = ctx.now()
  for (const sold of vendorOrders.toSorted(byId)) {
    const entries = saleEntries(sold)
    const { vendorOrderId, vendorId } = sold
    const sale = await lockSale(tx, {
      vendor_order_id: vendorOrderId,
      vendor_id: vendorId,
      order_id: orderId,
      order_no: orderNo,
    })
    await tx
      .updateTable('vendor_order_sales')
      .set({ net: sold.vendorNet!.minor, currency: sold.vendorNet!.currency })
      .where('vendor_order_id', '=', vendorOrderId)
      .where('net', 'is', null)
      .execute()
    await insertEntries(tx, sale, entries, { type: 'sale', reference: orderId, at: now })
    await completeRefunds(tx, vendorOrderId)
    await settleIfDue(tx, vendorOrderId, now)
  }
}
