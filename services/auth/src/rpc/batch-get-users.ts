import type { BatchGetUsersRequest, BatchGetUsersResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { selectUsers, toUser } from '../db/users.ts'

export async function batchGetUsers(ctx: AuthContext, request: BatchGetUsersRequest): Promise<BatchGetUsersResponse> {
  const rows = await selectUsers(ctx.db).where('users.id', 'in', request.userIds).execute()
  return { users: rows.map(toUser) }
}
