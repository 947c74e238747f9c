import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import type { ListUsersRequest, ListUsersResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { selectUsers, toUser, userStatus } from '../db/users.ts'

export async function listUsers(ctx: AuthContext, request: ListUsersRequest): Promise<ListUsersResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  let query = selectUsers(ctx.db)
    .orderBy('users.id', 'desc')
    .limit(size + 1)
  if (request.status !== undefined) query = query.where('users.status', '=', userStatus.toName(request.status))
  if (request.vendorId) query = query.where('users.vendor_id', '=', request.vendorId)
  const { role } = request
  if (role)
    query = query.where((eb) =>
      eb.exists(
        eb
          .selectFrom('user_roles')
          .innerJoin('roles', 'roles.id', 'user_roles.role_id')
          .select('roles.id')
          .whereRef('user_roles.user_id', '=', 'users.id')
          .where('roles.name', '=', role),
      ),
    )
  if (request.query) {
    const part = `%${request.query.replace(/[\\%_]/g, '\\$&')}%`
    query = query.where((eb) => eb.or([eb('users.email', 'ilike', part), eb('users.name', 'ilike', part)]))
  }
  if (after) query = query.where('users.id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.id])
  return { users: page.items.map(toUser), nextPageToken: page.nextPageToken }
}
