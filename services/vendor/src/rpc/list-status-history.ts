import { pageSize, toPage } from '@haat/kit/page'
import type { ListStatusHistoryRequest, ListStatusHistoryResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { getVendorRow, statuses } from '../db/vendors.ts'
import { idCursor } from './cursor.ts'

export async function listStatusHistory(
  ctx: VendorContext,
  request: ListStatusHistoryRequest,
): Promise<ListStatusHistoryResponse> {
  const size = pageSize(request.pageSize)
  const after = idCursor(request.pageToken)
  await getVendorRow(ctx.db, request.vendorId)
  let query = ctx.db
    .selectFrom('vendor_status_history')
    .selectAll()
    .where('vendor_id', '=', request.vendorId)
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (after) query = query.where('id', '<', after)
  const page = toPage(await query.execute(), size, (row) => [row.id])
  return {
    changes: page.items.map((row) => ({
      from: statuses.fromName(row.from_status),
      to: statuses.fromName(row.to_status),
      reason: row.reason,
      byUserId: row.by_user_id,
      at: row.at,
    })),
    nextPageToken: page.nextPageToken,
  }
}
