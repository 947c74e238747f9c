import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import {
  type ListVendorOrdersRequest,
  type ListVendorOrdersResponse,
  VendorOrderStatus,
} from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { toVendorOrder, vendorOrderStatus } from '../db/messages.ts'
import { startsWith } from '../db/search.ts'

export async function listVendorOrders(
  ctx: OrderContext,
  request: ListVendorOrdersRequest,
  call: Call,
): Promise<ListVendorOrdersResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  const { status, from, to } = request
  const forStaff = isStaff(call, 'orders.read')
  const vendorId = forStaff ? request.vendorId : requireVendor(call, request.vendorId)
  const text = request.query.trim().toUpperCase()
  let query = ctx.db
    .selectFrom('vendor_orders')
    .selectAll()
    .where('placed_at', 'is not', null)
    .orderBy('id', 'desc')
    .limit(size + 1)
  // What nobody paid for is no vendor's work, waiting or cancelled.
  if (!forStaff) query = query.where('paid_at', 'is not', null)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (status !== VendorOrderStatus.UNSPECIFIED) query = query.where('status', '=', vendorOrderStatus.toName(status))
  if (text) query = query.where('order_no', 'like', startsWith(text))
  if (from) query = query.where('placed_at', '>=', from)
  if (to) query = query.where('placed_at', '<', to)
  if (after) query = query.where('id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.id])
  const ids = page.items.map((row) => row.id)
  const items = ids.length
    ? await ctx.db.selectFrom('order_items').selectAll().where('vendor_order_id', 'in', ids).orderBy('id').execute()
    : []
  return {
    vendorOrders: page.items.map((row) =>
      toVendorOrder({ row, items: items.filter((item) => item.vendor_order_id === row.id) }, 'business'),
    ),
    nextPageToken: page.nextPageToken,
  }
}
