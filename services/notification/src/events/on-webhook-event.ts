import { afterCommit } from '@haat/kit/commits'
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
const findWebhooks = (db: Kysely<Database>, { envelope }: Event<unknown>, shares: readonly VendorShare[]) =>
  db
    .selectFrom('webhooks_out')
    .select(['id', 'vendor_id'])
    .where('vendor_id', '=', sql<string>`any(${shares.map(({ vendorId }) => vendorId)}::uuid[])`)
    .where(sql<boolean>`${envelope.type} = any(event_types)`)
    .where(liveWebhook)

/** Whether one of the vendors asked for the event: few do. */
export const isAskedFor =
  (webhookEvent: WebhookEvent) =>
  async (ctx: NotificationContext, event: Event<unknown>): Promise<boolean> =>
    Boolean(await findWebhooks(ctx.db, event, sharesOf(webhookEvent, event)).executeTakeFirst())

/** Queues a delivery for every webhook that asked for the event. */
export const onWebhookEvent =
  (webhookEvent: WebhookEvent) =>
  async (ctx: NotificationContext, event: Event<unknown>, tx: Transaction<Database>): Promise<void> => {
    const { eventId, type, occurredAt } = event.envelope
    const shares = sharesOf(webhookEvent, event)
    const webhooks = await findWebhooks(tx, event, shares).execute()
    if (webhooks.length === 0) return
    await tx
      .insertInto('webhook_deliveries')
      .values(
        shares.flatMap(({ vendorId, data }) => {
          const body = JSON.stringify({ id: eventId, type, occurredAt, vendorId, data })
          return webhooks
            .filter((webhook) => webhook.vendor_id === vendorId)
            .map(({ id }) => ({
              id: newId(ctx.now().getTime()),
              webhook_id: id,
              event_id: eventId,
              event_type: type,
              body,
              next_attempt_at: ctx.now(),
              created_at: ctx.now(),
            }))
        }),
      )
      .onConflict((c) => c.columns(['webhook_id', 'event_id']).doNothing())
      .execute()
    await afterCommit(tx, () => ctx.runSoon('deliver-webhooks'))
  }
