import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { type ListOrdersRequest, type ListOrdersResponse, OrderStatus, PaymentStatus } from '@haat/proto/order/v1/order'
import { sql } from 'kysely'
import type { OrderContext } from '../context.ts'
import { orderStatus, paymentStatus, toOrders } from '../db/messages.ts'
import { startsWith } from '../db/search.ts'

export async function listOrders(ctx: OrderContext, request: ListOrdersRequest): Promise<ListOrdersResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  const { status, userId, vendorId, from, to } = request
  const text = request.query.trim()
  let query = ctx.db
    .selectFrom('orders')
    .selectAll()
    .where('placed_at', 'is not', null)
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (status !== OrderStatus.UNSPECIFIED) query = query.where('status', '=', orderStatus.toName(status))
  if (request.paymentStatus !== PaymentStatus.UNSPECIFIED)
    query = query.where('payment_status', '=', paymentStatus.toName(request.paymentStatus))
  if (userId) query = query.where('user_id', '=', userId)
  if (vendorId)
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('vendor_orders')
          .select('vendor_orders.id')
          .whereRef('vendor_orders.order_id', '=', 'orders.id')
          .where('vendor_orders.vendor_id', '=', vendorId),
      ),
    )
  if (text.includes('@')) query = query.where(sql<string>`lower(email)`, '=', text.toLowerCase())
  else if (text) query = query.where('order_no', 'like', startsWith(text.toUpperCase()))
  if (from) query = query.where('placed_at', '>=', from)
  if (to) query = query.where('placed_at', '<', to)
  if (after) query = query.where('id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (order) => [order.id])
  return { orders: await toOrders(ctx.db, page.items, 'business'), nextPageToken: page.nextPageToken }
}
