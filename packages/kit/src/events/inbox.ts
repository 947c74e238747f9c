import { type Kysely, sql, type Transaction } from 'kysely'

const KEEP_DAYS = 14
const SWEEP_BATCH = 5_000

/**
 * Runs `work` in a transaction that also records the event as handled; answers false, without running it, when it is already
 * recorded. A second delivery in flight waits for the first to commit or fail.
 */
export async function once(
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  db: Kysely<any>,
  consumer: string,
  eventId: string,
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  work: (tx: Transaction<any>) => Promise<void>,
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const inserted = await sql`
      insert into inbox (consumer, event_id) values (${consumer}, ${eventId}) on conflict do nothing
    `.execute(tx)
    if (!inserted.numAffectedRows) return false
    await work(tx)
    return true
  })
}

/** Deletes inbox rows older than 14 days, in small batches; answers how many. startEvents() does it every hour. */
// biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
export async function sweepInbox(db: Kysely<any>, signal?: AbortSignal): Promise<number> {
  let deleted = 0
  while (!signal?.aborted) {
    const result = await sql`
      delete from inbox where ctid = any(array(
        select ctid from inbox where handled_at < now() - make_interval(days => ${KEEP_DAYS}) limit ${SWEEP_BATCH}
      ))
    `.execute(db)
    const count = Number(result.numAffectedRows ?? 0n)
    deleted += count
    if (count < SWEEP_BATCH) break
  }
  return deleted
}
