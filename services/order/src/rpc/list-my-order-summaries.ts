import { type Call, requireUser } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import { money } from '@haat/money/money'
import type { ListMyOrderSummariesRequest, ListMyOrderSummariesResponse } from '@haat/proto/order/v1/order'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { OrderContext } from '../context.ts'
import { orderStatus, paymentStatus, vendorOrderStatus } from '../db/messages.ts'
import { ownOrders } from '../db/own-orders.ts'

export async function listMyOrderSummaries(
  ctx: OrderContext,
  request: ListMyOrderSummariesRequest,
  call: Call,
): Promise<ListMyOrderSummariesResponse> {
  const size = pageSize(request.pageSize)
  const rows = await ownOrders(ctx.db, { ...request, userId: requireUser(call), size })
    .select(['id', 'order_no', 'status', 'payment_status', 'currency', 'total', 'refunded', 'created_at', 'placed_at'])
    .select(['pay_by'])
    .select(({ selectFrom }) =>
      jsonArrayFrom(
        selectFrom('vendor_orders')
          .select(['vendor_orders.id', 'vendor_orders.vendor_id', 'vendor_orders.status'])
          .select((part) =>
            jsonArrayFrom(
              part
                .selectFrom('order_items')
                .select(['product_id', 'title', 'image', 'qty'])
                .whereRef('vendor_order_id', '=', 'vendor_orders.id')
                .orderBy('order_items.id'),
            ).as('items'),
          )
          .whereRef('vendor_orders.order_id', '=', 'orders.id')
          .orderBy('vendor_orders.id'),
      ).as('parts'),
    )
    .execute()
  const page = toPage(rows, size, (order) => [order.id])
  return {
    orders: page.items.map((order) => ({
      id: order.id,
      orderNo: order.order_no,
      status: orderStatus.fromName(order.status),
      paymentStatus: paymentStatus.fromName(order.payment_status),
      total: money(order.currency, order.total),
      refunded: money(order.currency, order.refunded),
      vendorOrders: order.parts.map((part) => ({
        id: part.id,
        vendorId: part.vendor_id,
        status: vendorOrderStatus.fromName(part.status),
        items: part.items.map(({ product_id, ...item }) => ({ productId: product_id, ...item })),
      })),
      placedAt: order.placed_at ?? order.created_at,
      ...(order.payment_status === 'pending' && order.pay_by ? { payBy: order.pay_by } : {}),
    })),
    nextPageToken: page.nextPageToken,
  }
}
