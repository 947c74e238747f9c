import type { Call } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import type { ListRateTablesRequest, ListRateTablesResponse } from '@haat/proto/shipping/v1/shipping'
import { sql } from 'kysely'
import type { ShippingContext } from '../context.ts'
import { toRateTable } from '../db/rate-tables.ts'
import { scopeOf } from './scope.ts'

// The platform's come first.
const PLATFORM = '00000000-0000-0000-0000-000000000000'

export async function listRateTables(
  ctx: ShippingContext,
  request: ListRateTablesRequest,
  call: Call,
): Promise<ListRateTablesResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 2)
  const vendorId = scopeOf(call, request.vendorId)
  const owner = sql<string>`coalesce(vendor_id, ${PLATFORM}::uuid)`
  let query = ctx.db
    .selectFrom('rate_tables')
    .selectAll()
    .orderBy(owner)
    .orderBy('code')
    .limit(size + 1)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (after) query = query.where(sql<boolean>`(${owner}, code) > (${String(after[0])}::uuid, ${String(after[1])})`)
  const page = toPage(await query.execute(), size, (row) => [row.vendor_id ?? PLATFORM, row.code])
  return { rateTables: page.items.map(toRateTable), nextPageToken: page.nextPageToken }
}
