import { type Kysely, sql } from 'kysely'
import { archivePublished } from './archive.ts'
import type { Envelope } from './envelope.ts'
import type { Source } from './relay.ts'
import type { EventSealer } from './sealed.ts'

const BATCH = 250

/**
 * The outbox table as a source. Rows are locked while they are published, skipping those another process holds, and
 * archived when confirmed; if the transaction fails after publishing, they are published once more.
 */
// biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
export function outboxSource(db: Kysely<any>, service: string, seal: EventSealer['seal']): Source {
  return {
    drain: (publish) =>
      db.transaction().execute(async (tx) => {
        const { rows } = await sql<{ id: bigint; envelope: Envelope }>`
          select id, envelope from outbox order by id limit ${BATCH} for update skip locked
        `.execute(tx)
        if (!rows.length) return { oldest: undefined, more: false }
        const events = rows.map(({ id, envelope }) => ({ id, envelope: seal(complete(envelope, Number(id), service)) }))
        const confirmed = await publish(events.map(({ envelope }) => envelope))
        const done = events.filter(({ envelope }) => confirmed.has(envelope.eventId))
        if (done.length) await archivePublished(tx, done)
        const more = rows.length === BATCH && done.length > 0
        return { oldest: new Date(events[0]!.envelope.occurredAt), more }
      }),
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
