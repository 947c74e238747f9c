import { type Call, requireUser } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import type { ListMyOrdersRequest, ListMyOrdersResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { toOrders } from '../db/messages.ts'
import { ownOrders } from '../db/own-orders.ts'

export async function listMyOrders(
  ctx: OrderContext,
  request: ListMyOrdersRequest,
  call: Call,
): Promise<ListMyOrdersResponse> {
  const size = pageSize(request.pageSize)
  const rows = await ownOrders(ctx.db, { ...request, userId: requireUser(call), size })
    .selectAll()
    .execute()
  const page = toPage(rows, size, (order) => [order.id])
  return { orders: await toOrders(ctx.db, page.items, 'customer'), nextPageToken: page.nextPageToken }
}
