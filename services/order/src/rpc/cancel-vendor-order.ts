import type { Call } from '@haat/kit/call'
import { newId } from '@haat/kit/id'
import type { CancelVendorOrderRequest, CancelVendorOrderResponse } from '@haat/proto/order/v1/order'
import { deliverRefund } from '../checkout/deliver-refund.ts'
import type { OrderContext } from '../context.ts'
import { cancelParts, decideRefund, deriveStatus, everythingLeft } from '../db/changes.ts'
import { cancelReason, toVendorOrder } from '../db/messages.ts'
import { getSale, lockSale, partOf } from '../db/sales.ts'
import { personOf } from '../db/timeline.ts'
import { getVendorOrderFor } from './scope.ts'
import { wrongState } from './wrong-state.ts'

export async function cancelVendorOrder(
  ctx: OrderContext,
  request: CancelVendorOrderRequest,
  call: Call,
): Promise<CancelVendorOrderResponse> {
  const { vendorOrderId, note } = request
  const { orderId } = await getVendorOrderFor(ctx, call, vendorOrderId, 'orders.write')
  const refundId = await ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    const part = partOf(sale, vendorOrderId)
    const { status } = part.row
    if (status === 'cancelled') return undefined
    if (status !== 'pending' && status !== 'accepted') throw wrongState(status)
    const why = { reason: cancelReason.toName(request.reason), note, byUserId: personOf(call), at: ctx.now() }
    await cancelParts(tx, sale, [part], why)
    const refund = await decideRefund(tx, sale, {
      id: newId(),
      kind: 'sale',
      parts: everythingLeft([part]),
      reason: note || why.reason,
      byUserId: why.byUserId,
      at: why.at,
      restock: 'cancelled',
      restocked: true,
    })
    // Inventory gets this part's goods by the refund's id, so order.cancelled has none to put back.
    await deriveStatus(tx, sale, why.at, why)
    return refund.row.id
  })
  if (refundId) await deliverRefund(ctx, refundId)
  return { vendorOrder: toVendorOrder(partOf(await getSale(ctx.db, orderId), vendorOrderId), 'business') }
}
