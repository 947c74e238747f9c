import { emit } from '@haat/kit/events/emit'
import { OrderCreated } from '@haat/proto/order/v1/events'
import type { OrderContext } from '../context.ts'
import { moveCheckoutRow } from '../db/checkouts.ts'
import { orderHead, soldVendorOrder } from '../db/event-data.ts'
import { orderAmounts } from '../db/messages.ts'
import { lockSale } from '../db/sales.ts'
import { addTimeline } from '../db/timeline.ts'

/** The draft becomes an order that waits for its payment. False when it was undone before. */
export async function place(
  ctx: OrderContext,
  orderId: string,
  { payBy, intentId }: { payBy: Date; intentId: string },
): Promise<boolean> {
  return ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    if (sale.order.placed_at) return true
    if (!(await moveCheckoutRow(tx, orderId, 'place', { step: 'placed' }))) return false
    const now = ctx.now()
    const set = { placed_at: now, updated_at: now }
    const order = await tx
      .updateTable('orders')
      .set({ ...set, pay_by: payBy, intent_id: intentId })
      .where('id', '=', orderId)
      .returningAll()
      .executeTakeFirstOrThrow()
    await tx.updateTable('vendor_orders').set(set).where('order_id', '=', orderId).execute()
    await addTimeline(tx, { orderId, event: 'placed', at: now, byUserId: order.user_id })
    const { shipping_json, billing_json } = await tx
      .selectFrom('order_addresses')
      .selectAll()
      .where('order_id', '=', orderId)
      .executeTakeFirstOrThrow()
    await emit(tx, OrderCreated, {
      ...orderHead(sale),
      cartId: order.cart_id,
      cartVersion: order.cart_version,
      vendorOrders: sale.parts.map(soldVendorOrder),
      amounts: orderAmounts(order),
      couponCodes: order.coupon_codes,
      shippingCountry: shipping_json.country,
      billingCountry: billing_json.country,
      placedAt: now,
      payBy,
    })
    return true
  })
}
