import { type Kysely, sql, type Transaction } from 'kysely'
import type { Db } from 'mongodb'
import { newId } from '../id.ts'
import type { Emitted } from './emit.ts'
import type { Envelope } from './envelope.ts'
import type { Pending } from './pending.ts'
import { withoutSensitive } from './sensitive.ts'

/**
 * Published events are kept for a while beside the outbox. Once the broker has confirmed an event, nobody else has it until its
 * handlers have committed: if the broker is lost, or a consumer's store comes back from an older backup, they are published
 * again from here. Consumers know an event they have handled by its id (the inbox is kept longer than this).
 */
const KEEP_DAYS = 3
const BATCH = 5_000

/**
 * Takes published rows out of the outbox and keeps them as they were published. One that somebody has changed meanwhile (a person
 * was forgotten) stays, to be published and kept as it is now. The commit does not wait for the disk: should a crash undo it, the
 * events are published once more, which consumers recognise.
 */
export const archivePublished = (
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  db: Kysely<any>,
  published: readonly Emitted[],
) =>
  sql`
    with kept as (
      select * from unnest(
        ${published.map(({ id }) => id)}::bigint[], ${published.map(({ xmin }) => xmin)}::xid[],
        ${published.map(({ envelope }) => JSON.stringify(envelope))}::text[]
      ) as kept (id, version, envelope)
    ), done as (
      delete from outbox using kept where outbox.id = kept.id and outbox.xmin = kept.version returning outbox.id
    )
    insert into outbox_published (id, envelope)
      select id, envelope::jsonb from kept join done using (id),
             (select set_config('synchronous_commit', 'off', true)) as unhurried
  `.execute(db)

/** Puts what was published since then back into the outbox, each event under its own id; answers how many. */
// biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
export async function replayOutbox(db: Kysely<any>, since: Date): Promise<number> {
  // What is published again meanwhile is archived anew, and must not be found once more.
  const until = (await sql<{ now: Date }>`select now()`.execute(db)).rows[0]!.now
  let replayed = 0
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      with again as (
        delete from outbox_published where id = any(array(
          select id from outbox_published where published_at >= ${since} and published_at < ${until} order by id limit ${BATCH}
        )) returning id, envelope
      )
      insert into outbox (id, event_id, type, aggregate_type, aggregate_id, envelope, occurred_at) overriding system value
      select id, (envelope ->> 'eventId')::uuid, envelope ->> 'type', envelope -> 'aggregate' ->> 'type',
             envelope -> 'aggregate' ->> 'id', envelope, (envelope ->> 'occurredAt')::timestamptz
        from again
      on conflict do nothing
    `.execute(db)
    replayed += Number(numAffectedRows)
    if (numAffectedRows === 0n) return replayed
  }
}

/**
 * Takes the fields that the contracts mark as sensitive out of the events about somebody: those that wait and those that are
 * kept. For the handler that forgets a person, in its transaction and after it has locked what such events are emitted from.
 */
export async function forgetInEvents(
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  tx: Transaction<any>,
  userId: string,
): Promise<void> {
  // The waiting ones first: what the relay moves while we wait for its locks is found among the kept ones.
  for (const table of ['outbox', 'outbox_published']) {
    const { rows } = await sql<{ id: bigint; envelope: Envelope }>`
      select id, envelope from ${sql.table(table)}
        where jsonb_path_exists(envelope -> 'data', '$.** ? (@ == $id)', jsonb_build_object('id', ${userId}::text)) for update
    `.execute(tx)
    for (const { id, envelope } of rows)
      await sql`update ${sql.table(table)} set envelope = ${JSON.stringify(withoutSensitive(envelope))}::jsonb where id = ${id}`.execute(
        tx,
      )
  }
}

/** Deletes published events that are kept no longer, in small batches; answers how many. */
// biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
export async function sweepOutbox(db: Kysely<any>, signal?: AbortSignal): Promise<number> {
  let deleted = 0
  while (!signal?.aborted) {
    const result = await sql`
      delete from outbox_published where id = any(array(
        select id from outbox_published where published_at < now() - make_interval(days => ${KEEP_DAYS}) limit ${BATCH}
      ))
    `.execute(db)
    const count = Number(result.numAffectedRows ?? 0n)
    deleted += count
    if (count < BATCH) break
  }
  return deleted
}

/** Where a MongoDB service keeps what it has published. */
export const PUBLISHED_EVENTS = 'published_events'
/** Where it puts what is to be published again: a source like the others, and like them empty most of the time. */
export const REPLAYED_EVENTS = 'replayed_events'

/** A few events that were published together; `envelope` instead in those of older versions. */
type Published = { _id: string; envelopes?: Envelope[]; envelope?: Envelope; publishedAt: Date }

/** Far fewer documents than events, and none near the limit of 16 MB. */
const TOGETHER = 20

const publishedOf = (db: Db) => db.collection<Published>(PUBLISHED_EVENTS)

/** The index by which old events are found. */
export const ensureArchiveIndex = (db: Db) => publishedOf(db).createIndex({ publishedAt: 1 }, { name: 'publishedAt' })

/** Keeps published events; one that was published twice is kept twice, and published again once. */
export async function archiveDocuments(db: Db, events: readonly Envelope[]): Promise<void> {
  const publishedAt = new Date()
  const rows: Published[] = []
  for (let at = 0; at < events.length; at += TOGETHER)
    rows.push({ _id: newId(), envelopes: events.slice(at, at + TOGETHER), publishedAt })
  await publishedOf(db).insertMany(rows, { ordered: false })
}

/** Makes what was published since then pending again; answers how many. */
export async function replayDocuments(db: Db, since: Date): Promise<number> {
  const found = await publishedOf(db)
    .find({ publishedAt: { $gte: since } })
    .toArray()
  const events = found.flatMap(({ envelope, envelopes = [envelope!] }) => envelopes)
  const again = db.collection<Pending & { _id: string }>(REPLAYED_EVENTS)
  for (const envelope of events)
    await again.updateOne({ _id: envelope.eventId }, { $set: { pendingEvents: [envelope] } }, { upsert: true })
  return new Set(events.map(({ eventId }) => eventId)).size
}

/** Deletes published events that are kept no longer. */
export async function sweepDocuments(db: Db): Promise<void> {
  const before = new Date(Date.now() - KEEP_DAYS * 24 * 3_600_000)
  await publishedOf(db).deleteMany({ publishedAt: { $lt: before } })
  await db.collection(REPLAYED_EVENTS).deleteMany({ pendingEvents: { $exists: false } })
}
