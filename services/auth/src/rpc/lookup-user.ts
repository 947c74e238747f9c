import type { LookupUserRequest, LookupUserResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { findUserByEmail, normalEmail, toUser, userNotFound } from '../db/users.ts'

export async function lookupUser(ctx: AuthContext, request: LookupUserRequest): Promise<LookupUserResponse> {
  const user = await findUserByEmail(ctx.db, normalEmail(request.email))
  if (!user) throw userNotFound()
  return { user: toUser(user) }
}
