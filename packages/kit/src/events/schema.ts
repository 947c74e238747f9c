import type { Generated } from 'kysely'

/** Types of the tables in packages/kit/sql/events.sql; a service's Database includes them. */
export type EventTables = {
  outbox: {
    id: Generated<bigint>
    event_id: string
    type: string
    aggregate_type: string
    aggregate_id: string
    envelope: unknown
    occurred_at: Generated<Date>
  }
  outbox_published: { id: bigint; envelope: unknown; published_at: Generated<Date> }
  inbox: { consumer: string; event_id: string; handled_at: Generated<Date> }
}
