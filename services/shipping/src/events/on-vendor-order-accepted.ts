import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import { Address } from '@haat/proto/common/v1/common'
import type { GoodsLine, VendorOrderAccepted } from '@haat/proto/order/v1/events'
import type { ShippingContext } from '../context.ts'
import { isForgotten } from '../db/forgotten-users.ts'
import type { Database, Item } from '../db/schema.ts'

/** Keeps address and items for the label. A cancellation that came first stays. */
export async function onVendorOrderAccepted(
  _ctx: ShippingContext,
  event: Event<VendorOrderAccepted>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorOrderId, vendorId, orderId, orderNo, userId, items, shipTo, carrier, serviceLevel } = event.data
  const mayKeep = shipTo !== undefined && !(await isForgotten(tx, userId))
  await tx
    .insertInto('vendor_orders')
    .values({
      vendor_order_id: vendorOrderId,
      vendor_id: vendorId,
      order_id: orderId,
      order_no: orderNo,
      user_id: userId,
      ship_to: mayKeep ? JSON.stringify(Address.toJSON(shipTo)) : null,
      items: JSON.stringify(items.map(toItem)),
      carrier,
      service_level: serviceLevel,
      state: 'accepted',
    })
    .onConflict((c) => c.doNothing())
    .execute()
}

const toItem = ({ orderItemId, sku, title, qty, weightGrams }: GoodsLine): Item => ({
  orderItemId,
  sku,
  title,
  qty,
  weightGrams,
})
