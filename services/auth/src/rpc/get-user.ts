import type { GetUserRequest, GetUserResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { getUser as readUser, toUser } from '../db/users.ts'

export async function getUser(ctx: AuthContext, request: GetUserRequest): Promise<GetUserResponse> {
  return { user: toUser(await readUser(ctx.db, request.userId)) }
}
