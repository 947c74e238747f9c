import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { type Selectable, sql } from '@haat/kit/postgres'
import type { ListServiceAccountsRequest, ListServiceAccountsResponse, ServiceAccount } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import type { ServiceAccountRow } from '../db/schema.ts'

/** The accounts operators made; those of Haat's own services live in the configuration. */
export async function listServiceAccounts(
  ctx: AuthContext,
  request: ListServiceAccountsRequest,
): Promise<ListServiceAccountsResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  let query = ctx.db
    .selectFrom('service_accounts')
    .selectAll()
    .where('kind', '=', 'tool')
    .orderBy(sql`name collate "C"`)
    .limit(size + 1)
  if (after) query = query.where(sql<boolean>`name collate "C" > ${String(after[0])}`)
  const page = toPage(await query.execute(), size, (row) => [row.name])
  return { serviceAccounts: page.items.map(toServiceAccount), nextPageToken: page.nextPageToken }
}

export const toServiceAccount = (row: Selectable<ServiceAccountRow>): ServiceAccount => ({
  id: row.id,
  name: row.name,
  permissions: row.permissions,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at ?? undefined,
  revokedAt: row.revoked_at ?? undefined,
})
