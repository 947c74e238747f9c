import { type Kysely, sql } from 'kysely'
import { archivePublished } from './archive.ts'
import type { Emitted } from './emit.ts'
import type { Envelope } from './envelope.ts'
import type { Publish, Source } from './relay.ts'
import type { EventSealer } from './sealed.ts'

const BATCH = 250
/** Beyond these, rows are found by a search. */
const MOST_TOLD = 1_000
/** So many rows that a search found may be told of afterwards: those whose commit is answered a moment after it can be seen. */
const MOST_FOUND = 1_000

/** A source that is told what was committed, so that it need not read it again. */
export type OutboxSource = Source & {
  /** Of rows that are committed; `undefined` when there may be some. */
  tell(emitted: readonly Emitted[] | undefined): void
}

/**
 * The outbox table as a source. What it was told of is published as it was written. A search takes rows of the table, locked while
 * they are published, and skips those another search holds; it finds what a crash has left, and now and then what another instance
 * is just publishing. Rows are archived when confirmed. What is published twice, consumers recognise by the event id.
 */
export function outboxSource(
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  db: Kysely<any>,
  service: string,
  seal: EventSealer['seal'],
): OutboxSource {
  let told: Emitted[] = []
  let missed = false
  const found = new Set<bigint>()

  /** `left` says that some rows are not archived, or may not be; `some` that at least one is. */
  const publishRows = async (rows: readonly Emitted[], publish: Publish, on: typeof db) => {
    if (!rows.length) return { oldest: undefined, some: false, left: false }
    const events = rows.map((row) => ({ ...row, envelope: seal(complete(row.envelope, Number(row.id), service)) }))
    const confirmed = await publish(events.map(({ envelope }) => envelope))
    const done = events.filter(({ envelope }) => confirmed.has(envelope.eventId))
    if (done.length) await archivePublished(on, done)
    const oldest = new Date(events[0]!.envelope.occurredAt)
    return { oldest, some: done.length > 0, left: done.length < rows.length }
  }
  const search = (publish: Publish) =>
    db.transaction().execute(async (tx) => {
      const { rows } = await sql<Emitted>`
        select id, xmin, envelope from outbox order by id limit ${BATCH} for update skip locked
      `.execute(tx)
      for (const { id } of rows) found.add(id)
      told = told.filter(({ id }) => !found.delete(id))
      for (const id of found) {
        if (found.size <= MOST_FOUND) break
        found.delete(id)
      }
      const { left, ...published } = await publishRows(rows, publish, tx)
      return { ...published, left: left || rows.length === BATCH }
    })

  return {
    tell(emitted) {
      const news = emitted?.filter(({ id }) => !found.delete(id))
      if (!news || told.length + news.length > MOST_TOLD) missed = true
      else told.push(...news)
    },
    async drain(publish, searching) {
      const rows = told
      const isMissing = missed
      told = []
      missed = false
      try {
        // What we were told of is in the table too.
        const { oldest, some, left } = await (searching || isMissing ? search(publish) : publishRows(rows, publish, db))
        missed ||= left
        // Of what we were told meanwhile the relay has been told as well.
        return { oldest, more: some && missed }
      } catch (error) {
        missed = true
        throw error
      }
    },
    async count() {
      const { rows } = await sql<{ count: bigint }>`select count(*) as count from outbox`.execute(db)
      return Number(rows[0]!.count)
    },
  }
}

function complete(envelope: Envelope, sequence: number, service: string): Envelope {
  const { actor } = envelope
  return {
    ...envelope,
    actor: actor.type === 'system' && !actor.id ? { type: 'system', id: service } : actor,
    aggregate: { ...envelope.aggregate, sequence },
  }
}
