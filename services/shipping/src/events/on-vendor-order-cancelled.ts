import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { VendorOrderCancelled } from '@haat/proto/order/v1/events'
import type { ShippingContext } from '../context.ts'
import type { Database } from '../db/schema.ts'

/** No label any more; one that exists is given back by a job. Also remembers a vendor order that was never accepted. */
export async function onVendorOrderCancelled(
  ctx: ShippingContext,
  event: Event<VendorOrderCancelled>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorOrderId, vendorId, orderId, orderNo, userId } = event.data
  await tx
    .insertInto('vendor_orders')
    .values({
      vendor_order_id: vendorOrderId,
      vendor_id: vendorId,
      order_id: orderId,
      order_no: orderNo,
      user_id: userId,
      ship_to: null,
      items: '[]',
      carrier: '',
      service_level: '',
      state: 'cancelled',
    })
    .onConflict((c) =>
      c.column('vendor_order_id').doUpdateSet({ state: 'cancelled', ship_to: null, updated_at: ctx.now() }),
    )
    .execute()
}
