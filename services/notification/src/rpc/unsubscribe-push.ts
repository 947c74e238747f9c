import { type Call, requireUser } from '@haat/kit/call'
import type { UnsubscribePushRequest, UnsubscribePushResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'

export async function unsubscribePush(
  ctx: NotificationContext,
  request: UnsubscribePushRequest,
  call: Call,
): Promise<UnsubscribePushResponse> {
  await ctx.db
    .deleteFrom('push_subscriptions')
    .where('endpoint', '=', request.endpoint)
    .where('user_id', '=', requireUser(call))
    .execute()
  return {}
}
