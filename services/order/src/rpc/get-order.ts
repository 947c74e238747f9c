import type { Call } from '@haat/kit/call'
import type { GetOrderRequest, GetOrderResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { toOrders } from '../db/messages.ts'
import { timelineFor } from '../db/timeline.ts'
import { getOrderFor } from './scope.ts'

export async function getOrder(ctx: OrderContext, request: GetOrderRequest, call: Call): Promise<GetOrderResponse> {
  const { order, reader } = await getOrderFor(ctx, call, request.orderNo, 'orders.read')
  const [[answer], timeline] = await Promise.all([
    toOrders(ctx.db, [order], reader),
    request.withTimeline ? timelineFor(ctx.db, order, reader) : [],
  ])
  return { order: answer, timeline }
}
