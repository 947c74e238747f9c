import type { Call } from '@haat/kit/call'
import { failedPrecondition, unavailable } from '@haat/kit/errors'
import { type CancelOrderRequest, type CancelOrderResponse, CancelReason } from '@haat/proto/order/v1/order'
import { cancelPaid } from '../checkout/cancel-paid.ts'
import { driveCancel, requestCancel } from '../checkout/cancel-unpaid.ts'
import { isRefusal } from '../checkout/failure.ts'
import type { OrderContext } from '../context.ts'
import { getCheckout } from '../db/checkouts.ts'
import { cancelReason, toOrders } from '../db/messages.ts'
import { getSale } from '../db/sales.ts'
import { personOf } from '../db/timeline.ts'
import { getOrderFor } from './scope.ts'

export async function cancelOrder(
  ctx: OrderContext,
  request: CancelOrderRequest,
  call: Call,
): Promise<CancelOrderResponse> {
  const { order, reader } = await getOrderFor(ctx, call, request.orderNo, 'orders.write')
  const why = {
    reason: cancelReason.toName(reader === 'customer' ? CancelReason.CUSTOMER_REQUEST : request.reason),
    note: request.note,
    byUserId: personOf(call),
  }
  await requestCancel(ctx, order.id, why)
  const { state } = await getCheckout(ctx.db, order.id)
  if (state === 'cancelling') await closePayment(ctx, order.id)
  // Paid before, or just now while the payment was being closed; an expiry that lost that race asks for nothing.
  const inTheWay = await cancelPaid(ctx, order.id, why)
  if (inTheWay)
    throw failedPrecondition('order_not_cancellable', 'a part of the order has left the vendor', { status: inTheWay })
  const now = await getSale(ctx.db, order.id)
  const [answer] = await toOrders(ctx.db, [now.order], reader, [now])
  return { order: answer }
}

const closePayment = (ctx: OrderContext, orderId: string): Promise<void> =>
  driveCancel(ctx, orderId).catch((error) => {
    if (isRefusal(error)) throw error
    // The wish is written: the recovery job grants it even if nobody asks again.
    throw unavailable('payment_unavailable', 'the payment cannot be closed now; the order will be cancelled')
  })
