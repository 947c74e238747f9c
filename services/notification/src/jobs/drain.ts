import { setTimeout as pause } from 'node:timers/promises'
import type { Call } from '@haat/kit/call'
import { isStoreAway } from '@haat/kit/store-away'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'

export type QueueTable = 'messages' | 'notices' | 'webhook_deliveries'

type Row = { id: string; attempts: number; leased_until: Date | null }

type Queue = { db: Kysely<Database>; table: QueueTable; now: () => Date; call: Call; first?: 'priority' }

const BATCH = 24
const CONCURRENCY = 8
/** Longer than three sends in a row may take; a process that dies gives its rows back after this. */
export const LEASE_SECONDS = 120
const NOTE_AGAIN_MS = 1_000

/**
 * Works off the due rows of a queue table until none is left. A row is leased, and the attempt counted, before it is worked on:
 * no other process takes it meanwhile, and one that kills the process cannot do so for ever. `prepare` runs once per batch.
 * Whoever queues a row has the job run soon; its timer is for retries and for rows that a crash has left.
 */
export async function drain<R extends Row, Shared>(
  queue: Queue,
  prepare: (rows: R[]) => Promise<Shared>,
  work: (row: R, shared: Shared) => Promise<void>,
): Promise<void> {
  const { db, table, now, call, first } = queue
  while (!call.signal.aborted) {
    const rows = await claim<R>(db, table, now(), first)
    if (rows.length === 0) return
    const waiting = [...rows]
    const shared = await prepare(rows).catch(async (error) => {
      await noteDown(queue, rows[0]!, () => giveBack(db, table, rows))
      throw error
    })
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
    if (waiting.length) await noteDown(queue, waiting[0]!, () => giveBack(db, table, waiting))
  }
}

/**
 * Notes what has become of a leased row. While the store is away this is tried again until the lease ends: a send that is not noted
 * would be done twice, and a row that is not given back would wait for nothing. `write` must bear being done twice.
 */
export async function noteDown<T>(
  { call, now }: Pick<Queue, 'call' | 'now'>,
  row: Row,
  write: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if (!isStoreAway(error) || call.signal.aborted || row.leased_until! <= now()) throw error
      await pause(NOTE_AGAIN_MS)
    }
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
