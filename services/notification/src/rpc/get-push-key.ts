import type { Call } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import type { GetPushKeyRequest, GetPushKeyResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'

export async function getPushKey(
  ctx: NotificationContext,
  _request: GetPushKeyRequest,
  _call: Call,
): Promise<GetPushKeyResponse> {
  if (!ctx.pushPublicKey) throw failedPrecondition('push_unavailable', 'push notifications are not set up')
  return { publicKey: ctx.pushPublicKey }
}
