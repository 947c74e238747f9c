import { sql, type Transaction } from 'kysely'
import type { EventMessage } from './definition.ts'
import { createEnvelope } from './envelope.ts'

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
  const envelope = createEnvelope(message, data, { sequence: 0, occurredAt: options.occurredAt })
  const { eventId, type, aggregate, occurredAt } = envelope
  await sql`
    insert into outbox (event_id, type, aggregate_type, aggregate_id, envelope, occurred_at)
    values (${eventId}, ${type}, ${aggregate.type}, ${aggregate.id}, ${JSON.stringify(envelope)}::jsonb, ${occurredAt}::timestamptz)
    returning pg_notify(${OUTBOX_CHANNEL}, '')
  `.execute(tx)
  return eventId
}
