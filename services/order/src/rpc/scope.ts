import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { OrderContext } from '../context.ts'
import type { Reader } from '../db/messages.ts'
import type { Order } from '../db/sales.ts'

const noOrder = () => notFound('order_not_found', 'no such order')
const noVendorOrder = () => notFound('vendor_order_not_found', 'no such vendor order')

/** A placed order by its number, and how much of it the caller may see: its customer, staff, or a service by itself. */
export async function getOrderFor(
  ctx: OrderContext,
  call: Call,
  orderNo: string,
  permission: string,
): Promise<{ order: Order; reader: Reader }> {
  const order = await ctx.db
    .selectFrom('orders')
    .selectAll()
    .where('order_no', '=', orderNo.toUpperCase())
    .where('placed_at', 'is not', null)
    .executeTakeFirst()
  if (!order) throw noOrder()
  const isService = call.service !== undefined && call.caller.kind !== 'user'
  if (isStaff(call, permission) || isService) return { order, reader: 'business' }
  if (call.caller.kind === 'user' && call.caller.id === order.user_id) return { order, reader: 'customer' }
  throw noOrder()
}

/** A placed vendor order's order id, if the caller may work with it: its vendor, or staff. */
export async function getVendorOrderFor(
  ctx: OrderContext,
  call: Call,
  vendorOrderId: string,
  permission: string,
): Promise<{ orderId: string; vendorId: string }> {
  const row = await ctx.db
    .selectFrom('vendor_orders')
    .select(['order_id', 'vendor_id'])
    .where('id', '=', vendorOrderId)
    .where('placed_at', 'is not', null)
    .executeTakeFirst()
  const isOwn = row !== undefined && call.caller.vendorId === row.vendor_id
  if (!row || !(isOwn || isStaff(call, permission))) throw noVendorOrder()
  return { orderId: row.order_id, vendorId: row.vendor_id }
}
