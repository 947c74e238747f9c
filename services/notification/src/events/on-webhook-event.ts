import type { Event } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import { sql, type Transaction } from '@haat/kit/postgres'
import type { Kysely } from 'kysely'
import type { NotificationContext } from '../context.ts'
import type { Database } from '../db/schema.ts'
import { liveWebhook } from '../db/webhooks.ts'
import type { VendorShare, WebhookEvent } from './webhooks.ts'

const sharesOf = ({ shares }: WebhookEvent, { data }: Event<unknown>): VendorShare[] =>
  (shares as (data: unknown) => VendorShare[])(data)

/** Webhooks of vendors that asked for the event. */
const findWebhooks = (db: Kysely<Database>, { envelope }: Event<unknown>, vendorIds: string[]) =>
  db
    .selectFrom('webhooks_out')
    .select('id')
    .where('vendor_id', 'in', vendorIds)
    .where(sql<boolean>`${envelope.type} = any(event_types)`)
    .where(liveWebhook)

/** Whether one of the vendors asked for the event: few do. */
export const isAskedFor =
  (webhookEvent: WebhookEvent) =>
  async (ctx: NotificationContext, event: Event<unknown>): Promise<boolean> => {
    const vendorIds = sharesOf(webhookEvent, event).map(({ vendorId }) => vendorId)
    return vendorIds.length > 0 && Boolean(await findWebhooks(ctx.db, event, vendorIds).executeTakeFirst())
  }

/** Queues a delivery for every webhook that asked for the event. */
export const onWebhookEvent =
  (webhookEvent: WebhookEvent) =>
  async (ctx: NotificationContext, event: Event<unknown>, tx: Transaction<Database>): Promise<void> => {
    const { eventId, type, occurredAt } = event.envelope
    for (const { vendorId, data } of sharesOf(webhookEvent, event)) {
      const webhooks = await findWebhooks(tx, event, [vendorId]).execute()
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
