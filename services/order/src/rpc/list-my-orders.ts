import { type Call, requireUser } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { type ListMyOrdersRequest, type ListMyOrdersResponse, OrderStatus } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { orderStatus, toOrders } from '../db/messages.ts'

export async function listMyOrders(
  ctx: OrderContext,
  request: ListMyOrdersRequest,
  call: Call,
): Promise<ListMyOrdersResponse> {
  const userId = requireUser(call)
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  let query = ctx.db
    .selectFrom('orders')
    .selectAll()
    .where('user_id', '=', userId)
    .where('placed_at', 'is not', null)
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (request.status !== OrderStatus.UNSPECIFIED) query = query.where('status', '=', orderStatus.toName(request.status))
  if (after) query = query.where('id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (order) => [order.id])
  return { orders: await toOrders(ctx.db, page.items, 'customer'), nextPageToken: page.nextPageToken }
}
