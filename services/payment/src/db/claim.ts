import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

const BATCH = 50
const LEASE_SECONDS = 60

type Claimable = 'payments' | 'refunds' | 'payouts' | 'webhook_events'
const columns = {
  payments: { due: 'next_check_at', count: 'checks', key: ['id'] },
  refunds: { due: 'next_attempt_at', count: 'attempts', key: ['id'] },
  payouts: { due: 'next_attempt_at', count: 'attempts', key: ['id'] },
  webhook_events: { due: 'next_attempt_at', count: 'attempts', key: ['provider', 'event_id'] },
} as const

/**
 * Takes up to 50 rows that are due, counts the attempt and moves them a minute ahead, so that no other instance takes them
 * too and a crash only delays them.
 */
export async function claimDue<Row>(db: Kysely<Database>, table: Claimable, now: Date): Promise<Row[]> {
  const { due, count, key } = columns[table]
  const keys = sql.join(key.map((column) => sql.ref(column)))
  const until = new Date(now.getTime() + LEASE_SECONDS * 1000)
  const { rows } = await sql<Row>`
    update ${sql.table(table)}
       set ${sql.ref(count)} = ${sql.ref(count)} + 1, ${sql.ref(due)} = ${until}
     where (${keys}) in (
       select ${keys} from ${sql.table(table)}
        where ${sql.ref(due)} <= ${now} order by ${sql.ref(due)} limit ${BATCH} for update skip locked
     )
    returning *`.execute(db)
  return rows
}
