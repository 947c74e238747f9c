import type { BatchGetProfilesRequest, BatchGetProfilesResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { toProfile } from '../db/profiles.ts'

export async function batchGetProfiles(
  ctx: ProfileContext,
  request: BatchGetProfilesRequest,
): Promise<BatchGetProfilesResponse> {
  const rows = await ctx.db
    .selectFrom('profiles')
    .selectAll()
    .where('user_id', 'in', request.userIds)
    .where('forgotten_at', 'is', null)
    .execute()
  return { profiles: rows.map(toProfile) }
}
