import { type Call, requireUser } from '@haat/kit/call'
import type { GetPreferencesRequest, GetPreferencesResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { listPreferences } from '../db/preferences.ts'

export async function getPreferences(
  ctx: NotificationContext,
  _request: GetPreferencesRequest,
  call: Call,
): Promise<GetPreferencesResponse> {
  return { preferences: await listPreferences(ctx.db, requireUser(call)) }
}
