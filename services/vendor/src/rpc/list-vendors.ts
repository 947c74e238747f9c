import type { Call } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import type { ListVendorsRequest, ListVendorsResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { statuses, toVendor } from '../db/vendors.ts'
import { requireStaffOrService } from './access.ts'
import { idCursor } from './cursor.ts'

export async function listVendors(
  ctx: VendorContext,
  request: ListVendorsRequest,
  call: Call,
): Promise<ListVendorsResponse> {
  requireStaffOrService(call, 'vendors.read')
  const size = pageSize(request.pageSize)
  const after = idCursor(request.pageToken)
  let query = ctx.db
    .selectFrom('vendors')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (request.status) query = query.where('status', '=', statuses.toName(request.status))
  if (request.query) {
    const part = `%${request.query.replace(/[\\%_]/g, '\\$&')}%`
    query = query.where((eb) => eb.or([eb('name', 'ilike', part), eb('slug', 'ilike', part)]))
  }
  if (after) query = query.where('id', '<', after)
  const [rows, rules] = await Promise.all([query.execute(), ctx.rules.current()])
  const page = toPage(rows, size, (row) => [row.id])
  return { vendors: page.items.map((row) => toVendor(row, rules)), nextPageToken: page.nextPageToken }
}
