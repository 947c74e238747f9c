import type { Call } from '@haat/kit/call'
import { invalid } from '@haat/kit/errors'
import type { UnsubscribeRequest, UnsubscribeResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { storePreferences } from '../db/preferences.ts'
import { type ChannelName, channels, type TopicName, topics } from '../domain/names.ts'

export async function unsubscribe(
  ctx: NotificationContext,
  request: UnsubscribeRequest,
  _call: Call,
): Promise<UnsubscribeResponse> {
  const payload = ctx.secrets.verify(request.token)
  if (payload === undefined) throw invalid('unsubscribe_token_invalid', 'this link is not valid')
  const [userId, topic, channel] = payload.split(':') as [string, TopicName, ChannelName]
  await storePreferences(ctx.db, userId, [{ topic, channel, enabled: false }], ctx.now())
  return { topic: topics.fromName(topic), channel: channels.fromName(channel) }
}
