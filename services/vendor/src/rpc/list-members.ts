import type { Call } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import type { ListMembersRequest, ListMembersResponse } from '@haat/proto/vendor/v1/vendor'
import { sql } from 'kysely'
import type { VendorContext } from '../context.ts'
import { getVendorRow, toMember } from '../db/vendors.ts'
import { requireScope } from './access.ts'
import { cursorId } from './cursor.ts'

export async function listMembers(
  ctx: VendorContext,
  request: ListMembersRequest,
  call: Call,
): Promise<ListMembersResponse> {
  const vendorId = requireScope(call, request.vendorId, '', ['vendors.read'])
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 2)
  await getVendorRow(ctx.db, vendorId)
  const rank = sql<number>`case when is_owner then 0 else 1 end`
  let query = ctx.db
    .selectFrom('vendor_members')
    .selectAll()
    .where('vendor_id', '=', vendorId)
    .orderBy(rank)
    .orderBy('user_id')
    .limit(size + 1)
  if (after)
    query = query.where(
      sql<boolean>`(${rank}, user_id) > (${after[0] === 0 ? 0 : 1}::int, ${cursorId(after[1])}::uuid)`,
    )
  const page = toPage(await query.execute(), size, (row) => [row.is_owner ? 0 : 1, row.user_id])
  return { members: page.items.map(toMember), nextPageToken: page.nextPageToken }
}
