import { type Call, requireUser } from '@haat/kit/call'
import type { GetMeRequest, GetMeResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { getUser, toUser } from '../db/users.ts'

export async function getMe(ctx: AuthContext, _request: GetMeRequest, call: Call): Promise<GetMeResponse> {
  return { user: toUser(await getUser(ctx.db, requireUser(call))) }
}
