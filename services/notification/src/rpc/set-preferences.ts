import { type Call, requireUser } from '@haat/kit/call'
import type { SetPreferencesRequest, SetPreferencesResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { listPreferences, storePreferences } from '../db/preferences.ts'
import { channels, topics } from '../domain/names.ts'

export async function setPreferences(
  ctx: NotificationContext,
  request: SetPreferencesRequest,
  call: Call,
): Promise<SetPreferencesResponse> {
  const userId = requireUser(call)
  const wishes = request.preferences.map(({ topic, channel, enabled }) => ({
    topic: topics.toName(topic),
    channel: channels.toName(channel),
    enabled,
  }))
  await storePreferences(ctx.db, userId, wishes, ctx.now())
  return { preferences: await listPreferences(ctx.db, userId) }
}
