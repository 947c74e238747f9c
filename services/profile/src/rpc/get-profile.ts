import { type Call, requireUser } from '@haat/kit/call'
import type { GetProfileRequest, GetProfileResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { emptyProfile, findProfile, toProfile } from '../db/profiles.ts'

export async function getProfile(
  ctx: ProfileContext,
  _request: GetProfileRequest,
  call: Call,
): Promise<GetProfileResponse> {
  const userId = requireUser(call)
  const row = await findProfile(ctx.db, userId)
  return { profile: row ? toProfile(row) : emptyProfile(userId) }
}
