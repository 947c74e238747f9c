import type { Call } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import type { ListPayoutsRequest, ListPayoutsResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { payoutStatuses, toPayout } from '../db/payouts.ts'
import { scopeOf } from './access.ts'
import { idCursor } from './cursor.ts'

export async function listPayouts(
  ctx: VendorContext,
  request: ListPayoutsRequest,
  call: Call,
): Promise<ListPayoutsResponse> {
  const vendorId = scopeOf(call, request.vendorId, 'payouts.read', ['payouts.read', 'payouts.approve'])
  const size = pageSize(request.pageSize)
  const after = idCursor(request.pageToken)
  let query = ctx.db
    .selectFrom('vendor_payouts')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (request.status) query = query.where('status', '=', payoutStatuses.toName(request.status))
  if (after) query = query.where('id', '<', after)
  const page = toPage(await query.execute(), size, (row) => [row.id])
  return { payouts: page.items.map(toPayout), nextPageToken: page.nextPageToken }
}
