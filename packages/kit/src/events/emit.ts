import { sql, type Transaction } from 'kysely'
import type { EventMessage } from './definition.ts'
import { createEnvelope, type Envelope } from './envelope.ts'

/** PostgreSQL channel that wakes the relay; a notification is delivered when the transaction commits, never before. */
export const OUTBOX_CHANNEL = 'haat_outbox'

/**
 * Publishes an event if, and only if, the transaction commits. Emit after locking or writing the aggregate's row, so that
 * its sequence grows in commit order. Answers the event id.
 */
export async function emit<Data>(
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  tx: Transaction<any>,
  message: EventMessage<Data>,
  data: NoInfer<Data>,
  options: { occurredAt?: Date } = {},
): Promise<string> {
  const event = eventNow(message, data, options)
  await emitAll(tx, [event])
  return event.eventId
}

/** An event for `emitAll`. */
export const eventNow = <Data>(
  message: EventMessage<Data>,
  data: NoInfer<Data>,
  options: { occurredAt?: Date } = {},
): Envelope => createEnvelope(message, data, { sequence: 0, occurredAt: options.occurredAt })

/** Publishes several events like `emit`, in this order and by one statement. */
// biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
export async function emitAll(tx: Transaction<any>, events: readonly Envelope[]): Promise<void> {
  if (events.length === 0) return
  const rows = events.map(
    (event) => sql`(${event.eventId}::uuid, ${event.type}, ${event.aggregate.type}, ${event.aggregate.id},
      ${JSON.stringify(event)}::jsonb, ${event.occurredAt}::timestamptz)`,
  )
  await sql`
    insert into outbox (event_id, type, aggregate_type, aggregate_id, envelope, occurred_at) values ${sql.join(rows)}
    returning pg_notify(${OUTBOX_CHANNEL}, '')
  `.execute(tx)
}
