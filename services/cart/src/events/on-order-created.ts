import type { Event } from '@haat/kit/events/envelope'
import { pendEvent } from '@haat/kit/events/pending'
import { CartCheckedOut } from '@haat/proto/cart/v1/events'
import type { OrderCreated } from '@haat/proto/order/v1/events'
import type { CartContext } from '../context.ts'
import { changeIfThere, toItem } from '../db/carts.ts'
import { takeOrdered } from '../domain/cart.ts'

/** Takes what became an order out of the cart, once per order; what was added meanwhile stays. */
export async function onOrderCreated(ctx: CartContext, event: Event<OrderCreated>): Promise<void> {
  const order = event.data
  const mine = { _id: order.cartId, userId: order.userId }
  const lines = order.vendorOrders.flatMap(({ vendorId, lines }) => lines.map((line) => ({ ...line, vendorId })))
  const ordered = new Map<string, number>()
  for (const { sku, qty } of lines) ordered.set(sku, (ordered.get(sku) ?? 0) + qty)
  // Orders from before versions were told.
  const version = Number(order.cartVersion) || Number.POSITIVE_INFINITY
  await changeIfThere(ctx, mine, (before) => {
    if (before.orders.includes(order.orderId)) return undefined
    // A line that left the cart meanwhile is told as it was sold.
    const items = lines.map((line) => {
      const known = before.items.find((item) => item.sku === line.sku)
      if (known) return toItem({ ...known, qty: line.qty }, before.currency)
      const { sku, productId, vendorId, title, qty, unitPrice } = line
      return { sku, productId, vendorId, title, image: '', optionValues: {}, qty, priceAtAdd: unitPrice }
    })
    const data = {
      cartId: before._id,
      userId: order.userId,
      orderId: order.orderId,
      orderNo: order.orderNo,
      items,
      total: order.amounts?.total,
      checkedOutAt: order.placedAt,
    }
    return {
      contents: takeOrdered(before, ordered, order.couponCodes, version),
      touched: true,
      order: order.orderId,
      event: (version) => pendEvent(CartCheckedOut, data, version),
      note: { type: 'checked_out', data: { orderId: order.orderId, lines: lines.length } },
    }
  })
}
