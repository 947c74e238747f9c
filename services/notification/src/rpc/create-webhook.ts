import { randomBytes } from 'node:crypto'
import { requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { failedPrecondition, invalid } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { sql } from '@haat/kit/postgres'
import type { CreateWebhookRequest, CreateWebhookResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { MAX_WEBHOOKS, toWebhook } from '../db/webhooks.ts'
import { webhookEventTypes } from '../events/webhooks.ts'

export async function createWebhook(
  ctx: NotificationContext,
  request: CreateWebhookRequest,
  call: Call,
): Promise<CreateWebhookResponse> {
  const vendorId = requireVendor(call, request.vendorId)
  const eventTypes = request.eventTypes.filter((type) => !webhookEventTypes.has(type))
  if (eventTypes.length) throw invalid('webhook_event_unknown', 'no such event for vendors', { eventTypes })
  if (!(await ctx.outbound.allows(request.url)))
    throw invalid('webhook_url_forbidden', 'the URL must be https and on the public internet')
  const id = newId(ctx.now().getTime())
  const secret = `whsec_${randomBytes(32).toString('base64url')}`
  return ctx.db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks:${vendorId}`}, 0))`.execute(tx)
    const { count } = await tx
      .selectFrom('webhooks_out')
      .select((eb) => eb.fn.countAll<bigint>().as('count'))
      .where('vendor_id', '=', vendorId)
      .executeTakeFirstOrThrow()
    if (count >= MAX_WEBHOOKS) throw failedPrecondition('webhook_limit_reached', `at most ${MAX_WEBHOOKS} webhooks`)
    const webhook = await tx
      .insertInto('webhooks_out')
      .values({
        id,
        vendor_id: vendorId,
        url: request.url,
        event_types: request.eventTypes,
        secret: ctx.secrets.seal(secret, id),
        created_at: ctx.now(),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return { webhook: toWebhook(webhook), secret }
  })
}
