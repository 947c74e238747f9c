import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import { OrderPaid } from '@haat/proto/order/v1/events'
import type { OrderContext } from '../context.ts'
import { cancelParts, decideRefund, deriveStatus, everythingLeft, moveParts } from '../db/changes.ts'
import { type Checkout, getCheckout, moveCheckoutRow } from '../db/checkouts.ts'
import { orderHead, soldVendorOrder } from '../db/event-data.ts'
import { orderAmounts } from '../db/messages.ts'
import { getSale, lockSale, stockLines } from '../db/sales.ts'
import { addTimeline } from '../db/timeline.ts'
import { cancelPaid } from './cancel-paid.ts'
import { deliverRefund } from './deliver-refund.ts'
import { hasCode } from './failure.ts'
import { place } from './place.ts'

export type Paid = { intentId: string; paidAt: Date }

/**
 * Money has moved: from here it only goes forward. The goods are made sure first; then the order is paid. When they are
 * gone, or the order is cancelled, everything goes back to the customer. Repeats and crashes are harmless anywhere.
 */
export async function settle(ctx: OrderContext, orderId: string, paid: Paid): Promise<void> {
  const checkout = await getCheckout(ctx.db, orderId)
  const { state } = checkout
  if (state === 'paid') return honourCancellation(ctx, checkout)
  if (state === 'cancelled' || state === 'failed') return refundUnsold(ctx, orderId, { restock: false })
  // The payment of a checkout that was cut off before its order was placed.
  if (state === 'open' || state === 'releasing') {
    const placed = await place(ctx, await getSale(ctx.db, orderId), { payBy: paid.paidAt, intentId: paid.intentId })
    if (!placed) return refundUnsold(ctx, orderId, { restock: false })
  }
  if (!(await secureGoods(ctx, orderId))) return refundUnsold(ctx, orderId, { restock: false })
  const settled = await markPaid(ctx, orderId, paid)
  if (!settled) return refundUnsold(ctx, orderId, { restock: true })
  await honourCancellation(ctx, settled)
}

/** Turns what is held into a sale, and holds it again first when the lease has ended. False when it is sold out. */
async function secureGoods(ctx: OrderContext, orderId: string): Promise<boolean> {
  try {
    await ctx.inventory.commit({ orderId })
    return true
  } catch (error) {
    if (!hasCode(error, 'reservation_expired', 'reservation_not_found')) throw error
  }
  const { parts } = await getSale(ctx.db, orderId)
  try {
    await ctx.inventory.reserve({
      orderId,
      lines: stockLines(parts.flatMap((part) => part.items)),
      ttlSeconds: ctx.paymentTtlSeconds,
    })
  } catch (error) {
    if (hasCode(error, 'stock_insufficient')) return false
    throw error
  }
  await ctx.inventory.commit({ orderId })
  return true
}

/** The checkout of the order, which is paid then; undefined when it was cancelled meanwhile. */
async function markPaid(ctx: OrderContext, orderId: string, { intentId, paidAt }: Paid): Promise<Checkout | undefined> {
  return ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    if (sale.order.paid_at) return getCheckout(tx, orderId)
    const checkout = await moveCheckoutRow(tx, orderId, 'pay', { step: 'committed' })
    if (!checkout) return undefined
    const now = ctx.now()
    const { shipping_json, ...order } = await tx
      .updateTable('orders')
      .from('order_addresses as address')
      .set({ payment_status: 'paid', paid_at: paidAt, intent_id: intentId, updated_at: now })
      .where('orders.id', '=', orderId)
      .where('payment_status', '=', 'pending')
      .whereRef('address.order_id', '=', 'orders.id')
      .returningAll('orders')
      .returning('address.shipping_json')
      .executeTakeFirstOrThrow()
    Object.assign(sale.order, order)
    const acceptBy = new Date(now.getTime() + ctx.acceptHours * 3_600_000)
    await moveParts(tx, sale.parts, 'pay', { paid_at: paidAt, accept_by: acceptBy }, now)
    await addTimeline(tx, { orderId, event: 'paid', at: now })
    await emit(tx, OrderPaid, {
      ...orderHead(sale),
      customerName: shipping_json.name,
      vendorOrders: sale.parts.map(soldVendorOrder),
      amounts: orderAmounts(order),
      couponCodes: order.coupon_codes,
      shippingCountry: shipping_json.country,
      intentId,
      placedAt: order.placed_at ?? now,
      paidAt,
    })
    return checkout
  })
}

/**
 * Gives a payment back in full that became no sale: sold out, or the order is cancelled. The order was never paid for
 * anybody else, so there is no order.refunded; payment.refunded tells the customer.
 */
async function refundUnsold(ctx: OrderContext, orderId: string, { restock }: { restock: boolean }): Promise<void> {
  const refundId = await ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    const known = await tx
      .selectFrom('refunds')
      .select('id')
      .where('order_id', '=', orderId)
      .where('kind', '=', 'unsold')
      .executeTakeFirst()
    if (known && restock)
      await tx
        .updateTable('refunds')
        .set({ restock: 'pending', restock_reason: 'cancelled' })
        .where('id', '=', known.id)
        .where('restock', '=', 'none')
        .execute()
    if (known || sale.order.paid_at) return known?.id
    const at = ctx.now()
    const live = sale.parts.filter((part) => part.row.status !== 'cancelled')
    const soldOut = { reason: 'out_of_stock', note: '', byUserId: null, at } as const
    await moveCheckoutRow(tx, orderId, 'cancel')
    await cancelParts(tx, sale, live, soldOut)
    await deriveStatus(tx, sale, at, soldOut)
    const refund = await decideRefund(tx, sale, {
      id: newId(),
      kind: 'unsold',
      parts: everythingLeft(sale.parts),
      reason: live.length ? 'sold out' : 'paid after the order was cancelled',
      byUserId: null,
      at,
      restock: restock ? 'cancelled' : undefined,
      restocked: restock,
    })
    return refund.row.id
  })
  if (refundId) await deliverRefund(ctx, refundId)
}

/** A person asked to cancel, and the payment was faster: what they asked for still holds. An expiry does not. */
async function honourCancellation(ctx: OrderContext, checkout: Checkout): Promise<void> {
  const { cancel_reason: reason, cancel_note: note, cancel_by: byUserId } = checkout
  if (reason && reason !== 'payment_expired') await cancelPaid(ctx, checkout.order_id, { reason, note, byUserId })
}
