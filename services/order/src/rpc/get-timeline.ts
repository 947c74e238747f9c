import type { Call } from '@haat/kit/call'
import type { GetTimelineRequest, GetTimelineResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { timelineFor } from '../db/timeline.ts'
import { getOrderFor } from './scope.ts'

export async function getTimeline(
  ctx: OrderContext,
  request: GetTimelineRequest,
  call: Call,
): Promise<GetTimelineResponse> {
  const { order, reader } = await getOrderFor(ctx, call, request.orderNo, 'orders.read')
  return { entries: await timelineFor(ctx.db, order, reader) }
}
