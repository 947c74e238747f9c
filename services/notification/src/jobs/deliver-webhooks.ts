import { job } from '@haat/kit/jobs'
import { sql } from 'kysely'
import type { NotificationContext } from '../context.ts'
import type { StoredDelivery, StoredWebhook } from '../db/schema.ts'
import { MAX_FAILURES } from '../db/webhooks.ts'
import { nextAttempt } from '../domain/backoff.ts'
import { webhookSignature } from '../domain/secrets.ts'
import { ForbiddenAddress } from '../outbound.ts'
import { drain, noteDown } from './drain.ts'

const TIMEOUT_MS = 10_000

/**
 * Posts events to vendors' endpoints, signed. Anything but a 2xx within ten seconds is a failure and tried again; an endpoint that
 * gets the same event twice knows it by its id.
 */
export const deliverWebhooks = job<NotificationContext>('deliver-webhooks', {
  everySeconds: 10,
  run: (ctx, call) =>
    drain<StoredDelivery, Map<string, StoredWebhook>>(
      { db: ctx.db, table: 'webhook_deliveries', now: ctx.now, call },
      async (rows) => {
        const ids = [...new Set(rows.map((row) => row.webhook_id))]
        const webhooks = await ctx.db.selectFrom('webhooks_out').selectAll().where('id', 'in', ids).execute()
        return new Map(webhooks.map((webhook) => [webhook.id, webhook]))
      },
      async (delivery, webhooks) => {
        const webhook = webhooks.get(delivery.webhook_id)
        if (!webhook) return
        const error = webhook.failures < MAX_FAILURES ? await post(ctx, webhook, delivery) : 'webhook_given_up'
        await noteDown({ call, now: ctx.now }, delivery, () => finish(ctx, webhook, delivery, error))
        call.log.info({ deliveryId: delivery.id, webhookId: webhook.id, error }, 'webhook delivery')
      },
    ),
})

/** Empty when the endpoint took it; what went wrong otherwise. */
async function post(ctx: NotificationContext, webhook: StoredWebhook, delivery: StoredDelivery): Promise<string> {
  const secret = ctx.secrets.open(webhook.secret, webhook.id)
  const { body } = delivery
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'haat-webhook/1',
    'haat-event': delivery.event_type,
    'haat-delivery': delivery.event_id,
    'haat-signature': webhookSignature(secret, body, ctx.now()),
  }
  try {
    const { status } = await ctx.outbound.post(webhook.url, { headers, body, timeoutMs: TIMEOUT_MS })
    return status >= 200 && status < 300 ? '' : `status ${status}`
  } catch (error) {
    if (error instanceof ForbiddenAddress) return 'address_forbidden'
    return `unreachable ${(error as { code?: string }).code ?? (error as Error).name}`
  }
}

/** Counts the endpoint's failures in a row with the delivery's outcome: both or neither, and once. */
const finish = (
  ctx: NotificationContext,
  webhook: StoredWebhook,
  delivery: StoredDelivery,
  error: string,
): Promise<void> =>
  ctx.db.transaction().execute(async (tx) => {
    const isFinal = error === 'address_forbidden' || error === 'webhook_given_up'
    const again = error && !isFinal ? nextAttempt(ctx.now(), delivery.attempts, ctx.webhookRetrySeconds) : undefined
    let update = tx
      .updateTable('webhook_deliveries')
      .set({
        status: !error ? 'sent' : again ? 'queued' : 'failed',
        error,
        leased_until: null,
        next_attempt_at: again ?? null,
        ...(!error && { sent_at: ctx.now() }),
      })
      .where('id', '=', delivery.id)
      .where('status', '=', 'queued')
    // Sent is sent; any other outcome counts only while the delivery is still this attempt's.
    if (error) update = update.where('leased_until', '=', delivery.leased_until)
    const { numUpdatedRows } = await update.executeTakeFirst()
    if (numUpdatedRows === 0n || error === 'webhook_given_up') return
    await tx
      .updateTable('webhooks_out')
      .set(error ? { failures: sql`failures + 1` } : { failures: 0, last_success_at: ctx.now() })
      .where('id', '=', webhook.id)
      .execute()
  })
