import type { Event } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import { sql, type Transaction } from '@haat/kit/postgres'
import type { NotificationContext } from '../context.ts'
import type { Database } from '../db/schema.ts'
import { liveWebhook } from '../db/webhooks.ts'
import type { VendorShare, WebhookEvent } from './webhooks.ts'

/** Queues a delivery for every webhook that asked for the event. */
export const onWebhookEvent =
  (webhookEvent: WebhookEvent) =>
  async (ctx: NotificationContext, event: Event<unknown>, tx: Transaction<Database>): Promise<void> => {
    const { eventId, type, occurredAt } = event.envelope
    for (const { vendorId, data } of (webhookEvent.shares as (data: unknown) => VendorShare[])(event.data)) {
      const webhooks = await tx
        .selectFrom('webhooks_out')
        .select('id')
        .where('vendor_id', '=', vendorId)
        .where(sql<boolean>`${type} = any(event_types)`)
        .where(liveWebhook)
        .execute()
      if (webhooks.length === 0) continue
      const body = JSON.stringify({ id: eventId, type, occurredAt, vendorId, data })
      await tx
        .insertInto('webhook_deliveries')
        .values(
          webhooks.map(({ id }) => ({
            id: newId(ctx.now().getTime()),
            webhook_id: id,
            event_id: eventId,
            event_type: type,
            body,
            next_attempt_at: ctx.now(),
            created_at: ctx.now(),
          })),
        )
        .onConflict((c) => c.columns(['webhook_id', 'event_id']).doNothing())
        .execute()
    }
  }
