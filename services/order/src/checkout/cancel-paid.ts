import { newId } from '@haat/kit/id'
import type { OrderContext } from '../context.ts'
import { type Cancellation, cancelParts, decideRefund, deriveStatus, everythingLeft } from '../db/changes.ts'
import { goodsLeft } from '../db/event-data.ts'
import { lockSale } from '../db/sales.ts'
import { moveVendorOrder, type OrderStatus } from '../domain/vendor-order-state.ts'
import { deliverRefund } from './deliver-refund.ts'

/**
 * Cancels all that is left of a paid order and refunds it; the goods go back through order.cancelled. Answers the status
 * in the way when a part has left the vendor, and does nothing to an order that is cancelled already.
 */
export async function cancelPaid(
  ctx: OrderContext,
  orderId: string,
  why: Omit<Cancellation, 'at'>,
): Promise<OrderStatus | undefined> {
  const outcome = await ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    if (sale.order.status === 'cancelled') return {}
    const live = sale.parts.filter((part) => part.row.status !== 'cancelled')
    if (live.some((part) => !moveVendorOrder(part.row.status, 'cancel'))) return { inTheWay: sale.order.status }
    const at = ctx.now()
    const restock = live.flatMap(goodsLeft)
    await cancelParts(tx, sale, live, { ...why, at })
    await deriveStatus(tx, sale, at, { ...why, at, restock })
    const refund = await decideRefund(tx, sale, {
      id: newId(),
      kind: 'sale',
      parts: everythingLeft(live),
      reason: why.reason,
      byUserId: why.byUserId,
      at,
      restocked: true,
    })
    return { refundId: refund.row.id }
  })
  if (outcome.refundId) await deliverRefund(ctx, outcome.refundId)
  return outcome.inTheWay
}
