import type { Call } from '@haat/kit/call'
import type { AcceptVendorOrderRequest, AcceptVendorOrderResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { acceptPart } from '../db/fulfilment.ts'
import { toVendorOrder } from '../db/messages.ts'
import { lockSale, partOf } from '../db/sales.ts'
import { personOf } from '../db/timeline.ts'
import { getVendorOrderFor } from './scope.ts'
import { wrongState } from './wrong-state.ts'

export async function acceptVendorOrder(
  ctx: OrderContext,
  request: AcceptVendorOrderRequest,
  call: Call,
): Promise<AcceptVendorOrderResponse> {
  const { orderId } = await getVendorOrderFor(ctx, call, request.vendorOrderId, 'orders.write')
  return ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    const part = partOf(sale, request.vendorOrderId)
    const { status } = part.row
    if (status === 'pending') await acceptPart(tx, sale, part, personOf(call), ctx.now())
    else if (status === 'awaiting_payment' || status === 'cancelled') throw wrongState(status)
    return { vendorOrder: toVendorOrder(part, 'business') }
  })
}
