import type { Call } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import type { ListEarningsRequest, ListEarningsResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { earningStatuses, earningTypes, toEarning } from '../db/earnings.ts'
import { scopeOf } from './access.ts'
import { idCursor } from './cursor.ts'

export async function listEarnings(
  ctx: VendorContext,
  request: ListEarningsRequest,
  call: Call,
): Promise<ListEarningsResponse> {
  const vendorId = scopeOf(call, request.vendorId, 'payouts.read', ['payouts.read'])
  const size = pageSize(request.pageSize)
  const after = idCursor(request.pageToken)
  let query = ctx.db
    .selectFrom('vendor_earnings')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (request.status) query = query.where('status', '=', earningStatuses.toName(request.status))
  if (request.type) query = query.where('type', '=', earningTypes.toName(request.type))
  if (request.orderId) query = query.where('order_id', '=', request.orderId)
  if (request.from) query = query.where('created_at', '>=', request.from)
  if (request.to) query = query.where('created_at', '<', request.to)
  if (after) query = query.where('id', '<', after)
  const page = toPage(await query.execute(), size, (row) => [row.id])
  return { earnings: page.items.map(toEarning), nextPageToken: page.nextPageToken }
}
