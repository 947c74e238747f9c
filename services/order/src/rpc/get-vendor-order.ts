import type { Call } from '@haat/kit/call'
import type { GetVendorOrderRequest, GetVendorOrderResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { paymentStatus, toVendorOrder } from '../db/messages.ts'
import { listRefunds, toOrderRefund } from '../db/refunds.ts'
import { getSale, partOf } from '../db/sales.ts'
import { listTimeline, toTimelineEntry } from '../db/timeline.ts'
import { getVendorOrderFor } from './scope.ts'

export async function getVendorOrder(
  ctx: OrderContext,
  request: GetVendorOrderRequest,
  call: Call,
): Promise<GetVendorOrderResponse> {
  const { vendorOrderId } = request
  const { orderId } = await getVendorOrderFor(ctx, call, vendorOrderId, 'orders.read')
  const sale = await getSale(ctx.db, orderId)
  const address = await ctx.db
    .selectFrom('order_addresses')
    .select('shipping_json')
    .where('order_id', '=', orderId)
    .executeTakeFirst()
  const refunds = await listRefunds(ctx.db, [orderId])
  return {
    vendorOrder: toVendorOrder(
      partOf(sale, vendorOrderId),
      'business',
      sale.order.paid_at ? address?.shipping_json : undefined,
    ),
    paymentStatus: paymentStatus.fromName(sale.order.payment_status),
    refunds: refunds
      .filter(({ parts }) => parts.some(({ row }) => row.vendor_order_id === vendorOrderId))
      .map((refund) => toOrderRefund(refund, vendorOrderId)),
    timeline: (await listTimeline(ctx.db, orderId, vendorOrderId)).map(toTimelineEntry),
  }
}
