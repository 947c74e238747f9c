import type { Call } from '@haat/kit/call'
import type { GetTimelineRequest, GetTimelineResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { listTimeline, toTimelineEntry } from '../db/timeline.ts'
import { getOrderFor } from './scope.ts'

export async function getTimeline(
  ctx: OrderContext,
  request: GetTimelineRequest,
  call: Call,
): Promise<GetTimelineResponse> {
  const { order, reader } = await getOrderFor(ctx, call, request.orderNo, 'orders.read')
  const rows = await listTimeline(ctx.db, order.id)
  const entries = rows.map(toTimelineEntry)
  // Who of the vendor's or the platform's people did it is not the customer's business.
  if (reader === 'customer') for (const entry of entries) if (entry.byUserId !== order.user_id) entry.byUserId = ''
  return { entries }
}
