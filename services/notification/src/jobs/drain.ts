import type { Call } from '@haat/kit/call'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'

export type QueueTable = 'messages' | 'notices' | 'webhook_deliveries'

type Row = { id: string; attempts: number; leased_until: Date | null }

const BATCH = 24
const CONCURRENCY = 8
/** Longer than three sends in a row may take; a process that dies gives its rows back after this. */
export const LEASE_SECONDS = 120

/**
 * Works off the due rows of a queue table until none is left. A row is leased, and the attempt counted, before it is worked on:
 * no other process takes it meanwhile, and one that kills the process cannot do so for ever. `prepare` runs once per batch.
 * Whoever queues a row has the job run soon; its timer is for retries and for rows that a crash has left.
 */
export async function drain<R extends Row, Shared>(
  options: { db: Kysely<Database>; table: QueueTable; now: () => Date; call: Call; first?: 'priority' },
  prepare: (rows: R[]) => Promise<Shared>,
  work: (row: R, shared: Shared) => Promise<void>,
): Promise<void> {
  const { db, table, now, call } = options
  while (!call.signal.aborted) {
    const rows = await claim<R>(db, table, now(), options.first)
    if (rows.length === 0) return
    const shared = await prepare(rows)
    const waiting = [...rows]
    const worker = async () => {
      for (let row = waiting.shift(); row; row = waiting.shift()) {
        if (call.signal.aborted) {
          waiting.push(row)
          return
        }
        await work(row, shared).catch((err) => call.log.error({ err, table, id: row.id }, 'work interrupted'))
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, worker))
    if (waiting.length) await giveBack(db, table, waiting)
  }
}

async function claim<R>(db: Kysely<Database>, table: QueueTable, now: Date, first?: 'priority'): Promise<R[]> {
  const order = first ? sql`priority, next_attempt_at` : sql`next_attempt_at`
  const until = new Date(now.getTime() + LEASE_SECONDS * 1000)
  const { rows } = await sql<R>`
    update ${sql.table(table)} set attempts = attempts + 1, leased_until = ${until}
    where id in (
      select id from ${sql.table(table)}
      where status = 'queued' and next_attempt_at <= ${now} and (leased_until is null or leased_until < ${now})
      order by ${order} limit ${BATCH} for update skip locked
    ) returning *
  `.execute(db)
  return rows
}

const giveBack = (db: Kysely<Database>, table: QueueTable, rows: readonly Row[]) =>
  sql`
    update ${sql.table(table)} set attempts = attempts - 1, leased_until = null
    where id = any(${rows.map((row) => row.id)}) and leased_until = ${rows[0]!.leased_until} and status = 'queued'
  `.execute(db)
