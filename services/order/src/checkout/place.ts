import { emit } from '@haat/kit/events/emit'
import { OrderCreated } from '@haat/proto/order/v1/events'
import type { OrderContext } from '../context.ts'
import { moveCheckoutRow } from '../db/checkouts.ts'
import { orderHead, soldVendorOrder } from '../db/event-data.ts'
import { orderAmounts } from '../db/messages.ts'
import { listSales, lockOrder, type Sale } from '../db/sales.ts'
import { addTimeline } from '../db/timeline.ts'

/** The draft becomes an order that waits for its payment. Undefined when it was undone before. */
export async function place(
  ctx: OrderContext,
  draft: Sale,
  { payBy, intentId }: { payBy: Date; intentId: string },
): Promise<Sale | undefined> {
  const orderId = draft.order.id
  return ctx.db.transaction().execute(async (tx) => {
    const locked = await lockOrder(tx, orderId)
    if (locked.placed_at) return (await listSales(tx, [locked]))[0]
    if (!(await moveCheckoutRow(tx, orderId, 'place', { step: 'placed' }))) return undefined
    const now = ctx.now()
    const set = { placed_at: now, updated_at: now }
    const { shipping_json, billing_json, ...order } = await tx
      .updateTable('orders')
      .from('order_addresses as address')
      .set({ ...set, pay_by: payBy, intent_id: intentId })
      .where('orders.id', '=', orderId)
      .whereRef('address.order_id', '=', 'orders.id')
      .returningAll('orders')
      .returning(['address.shipping_json', 'address.billing_json'])
      .executeTakeFirstOrThrow()
    const rows = await tx.updateTable('vendor_orders').set(set).where('order_id', '=', orderId).returningAll().execute()
    // Lines of a draft never change.
    const parts = draft.parts.map(({ row, items }) => ({ row: rows.find(({ id }) => id === row.id)!, items }))
    const sale = { order, parts }
    await addTimeline(tx, { orderId, event: 'placed', at: now, byUserId: order.user_id })
    await emit(tx, OrderCreated, {
      ...orderHead(sale),
      cartId: order.cart_id,
      cartVersion: order.cart_version,
      vendorOrders: parts.map(soldVendorOrder),
      amounts: orderAmounts(order),
      couponCodes: order.coupon_codes,
      shippingCountry: shipping_json.country,
      billingCountry: billing_json.country,
      placedAt: now,
      payBy,
    })
    return sale
  })
}
