import type { Call } from '@haat/kit/call'
import { invalid } from '@haat/kit/errors'
import { Fulfilment, type UpdateFulfilmentRequest, type UpdateFulfilmentResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { deliverPart, shipPart } from '../db/fulfilment.ts'
import { toVendorOrder } from '../db/messages.ts'
import { lockSale, partOf } from '../db/sales.ts'
import { personOf } from '../db/timeline.ts'
import { getVendorOrderFor } from './scope.ts'
import { wrongState } from './wrong-state.ts'

export async function updateFulfilment(
  ctx: OrderContext,
  request: UpdateFulfilmentRequest,
  call: Call,
): Promise<UpdateFulfilmentResponse> {
  const { orderId } = await getVendorOrderFor(ctx, call, request.vendorOrderId, 'orders.write')
  const isShipping = request.fulfilment === Fulfilment.SHIPPED
  if (isShipping && request.trackingNo === '')
    throw invalid('tracking_no_required', 'a shipped parcel has a tracking number')
  const { carrier, trackingNo, note } = request
  return ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    const part = partOf(sale, request.vendorOrderId)
    const { status } = part.row
    const scan = { carrier, trackingNo, note, byUserId: personOf(call), at: ctx.now() }
    if (isShipping) {
      if (status === 'accepted') await shipPart(tx, sale, part, scan)
      else if (status !== 'shipped' && status !== 'delivered') throw wrongState(status)
    } else if (status === 'shipped') await deliverPart(tx, sale, part, scan)
    else if (status !== 'delivered') throw wrongState(status)
    return { vendorOrder: toVendorOrder(part, 'business') }
  })
}
