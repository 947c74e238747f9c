import { type Call, requireUser } from '@haat/kit/call'
import { type FieldViolation, invalid, invalidFields } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { SubscribePushRequest, SubscribePushResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'

const MAX_SUBSCRIPTIONS = 10
/** An uncompressed P-256 point, and the authentication secret of RFC 8291. */
const KEY_BYTES = { p256dh: 65, auth: 16 }

export async function subscribePush(
  ctx: NotificationContext,
  request: SubscribePushRequest,
  call: Call,
): Promise<SubscribePushResponse> {
  const userId = requireUser(call)
  const { endpoint, p256dh, auth } = request
  const wrong = (['p256dh', 'auth'] as const)
    .filter((field) => Buffer.from(request[field], 'base64url').length !== KEY_BYTES[field])
    .map((field): FieldViolation => ({ field, rule: 'key', message: 'is not a key of a push subscription' }))
  if (wrong.length) throw invalidFields(wrong)
  if (!(await ctx.outbound.allows(endpoint)))
    throw invalid('push_endpoint_forbidden', 'the endpoint is not on the public internet')
  await ctx.db.transaction().execute(async (tx) => {
    // A browser that changed hands becomes a new subscription: what waits for the old one must not show there.
    await tx.deleteFrom('push_subscriptions').where('endpoint', '=', endpoint).where('user_id', '<>', userId).execute()
    await tx
      .insertInto('push_subscriptions')
      .values({ id: newId(ctx.now().getTime()), user_id: userId, endpoint, p256dh, auth, created_at: ctx.now() })
      .onConflict((c) =>
        c.column('endpoint').doUpdateSet({ p256dh, auth }).where('push_subscriptions.user_id', '=', userId),
      )
      .execute()
    const newest = tx
      .selectFrom('push_subscriptions')
      .select('id')
      .where('user_id', '=', userId)
      .orderBy('id', 'desc')
      .limit(MAX_SUBSCRIPTIONS)
    await tx.deleteFrom('push_subscriptions').where('user_id', '=', userId).where('id', 'not in', newest).execute()
  })
  return {}
}
