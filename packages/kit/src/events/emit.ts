import { type DialectAdapter, type Kysely, sql, type Transaction } from 'kysely'
import { afterCommit } from '../commits.ts'
import type { EventMessage } from './definition.ts'
import { createEnvelope, type Envelope } from './envelope.ts'

/** A row of the outbox as it was written; whoever changes it later gives it another `xmin`. */
export type Emitted = { id: bigint; xmin: string; envelope: Envelope }

/** By what a database and its transactions have in common. */
const listeners = new WeakMap<DialectAdapter, (emitted: readonly Emitted[] | undefined) => void>()

/**
 * Tells of what is emitted through `db`, as soon as it is committed; `undefined` when nobody knows whether it was. One listener
 * for each database that a process opens.
 */
export const onEmitted = (
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  db: Kysely<any>,
  listener: (emitted: readonly Emitted[] | undefined) => void,
): void => void listeners.set(db.getExecutor().adapter, listener)

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

/**
 * Publishes several events like `emit`, in this order and by one statement. Not within a savepoint: what is rolled back to one would
 * be published when the transaction commits.
 */
// biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
export async function emitAll(tx: Transaction<any>, events: readonly Envelope[]): Promise<void> {
  if (events.length === 0) return
  const rows = events.map(
    (event) => sql`(${event.eventId}::uuid, ${event.type}, ${event.aggregate.type}, ${event.aggregate.id},
      ${JSON.stringify(event)}::jsonb, ${event.occurredAt}::timestamptz)`,
  )
  const inserted = await sql<{ id: bigint; xmin: string }>`
    insert into outbox (event_id, type, aggregate_type, aggregate_id, envelope, occurred_at) values ${sql.join(rows)}
    returning id, xmin
  `.execute(tx)
  const emitted = events.map((envelope, at) => ({ ...inserted.rows[at]!, envelope }))
  await afterCommit(tx, (ending) =>
    listeners.get(tx.getExecutor().adapter)?.(ending === 'committed' ? emitted : undefined),
  )
}
