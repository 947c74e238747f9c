import type { HasPurchasedRequest, HasPurchasedResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'

const MAX_LINES = 100

export async function hasPurchased(ctx: OrderContext, request: HasPurchasedRequest): Promise<HasPurchasedResponse> {
  const rows = await ctx.db
    .selectFrom('order_items as item')
    .innerJoin('vendor_orders as part', 'part.id', 'item.vendor_order_id')
    .innerJoin('orders as o', 'o.id', 'item.order_id')
    .select([
      'o.id',
      'o.order_no',
      'o.paid_at',
      'item.id as item_id',
      'item.vendor_id',
      'item.sku',
      'part.delivered_at',
    ])
    .where('o.user_id', '=', request.userId)
    .where('item.product_id', '=', request.productId)
    .where('o.paid_at', 'is not', null)
    .whereRef('item.refunded_qty', '<', 'item.qty')
    .orderBy('o.id', 'desc')
    .orderBy('item.id')
    .limit(MAX_LINES)
    .execute()
  return {
    lines: rows.map((row) => ({
      orderId: row.id,
      orderNo: row.order_no,
      orderItemId: row.item_id,
      vendorId: row.vendor_id,
      sku: row.sku,
      paidAt: row.paid_at!,
      ...(row.delivered_at ? { deliveredAt: row.delivered_at } : {}),
    })),
  }
}
