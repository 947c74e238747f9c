import { createHash } from 'node:crypto'
import { createLog } from '@haat/kit/log'
import { type Mongo, openMongo } from '@haat/kit/mongo'
import { openPostgres, type Postgres, sql, withDatabase } from '@haat/kit/postgres'
import type { Devnet } from '../devnet.ts'
import { roster } from '../roster.ts'

/** What every service has stored: per table or collection, how many rows and their digest. */
export type Snapshot = Map<string, string>

// What services note for themselves: leases, caches, when a process last asked for its token.
const OWN_BUSINESS = new Set(['leases', 'provider_cursors', 'rates_cache'])
const OWN_COLUMNS: Record<string, string> = { service_accounts: 'last_used_at' }

export type Snapshots = {
  take(): Promise<Snapshot>
  /** A snapshot of a marketplace that has nothing left to do: events are handled, people are told. */
  calm(): Promise<Snapshot>
  close(): Promise<void>
}

const read = (table: string): string =>
  OWN_COLUMNS[table] ? `(select to_jsonb(all_of) - '${OWN_COLUMNS[table]}' from "${table}" all_of)` : `"${table}"`

/** Reads all databases of a marketplace behind the services' backs. */
export async function openSnapshots(devnet: Devnet & { prefix: string }): Promise<Snapshots> {
  const { urls } = devnet.stores
  const postgres = new Map<string, { opened: Postgres<never>; query: string }>()
  const mongo = new Map<string, Mongo>()
  for (const { name, stores } of roster) {
    const database = `${devnet.prefix}_haat_${name}`
    if (stores.includes('mongo')) mongo.set(name, await openMongo({ url: urls.mongo, database, name: 'test' }))
    if (!stores.includes('postgres')) continue
    const log = createLog('test', 'silent')
    const opened = openPostgres<never>({
      url: withDatabase(urls.postgres, database),
      poolSize: 1,
      name: 'test',
      log,
    })
    const { rows } = await sql<{ tablename: string }>`
      select tablename from pg_tables where schemaname = 'public' order by tablename`.execute(opened.db)
    const query = rows
      .filter(({ tablename }) => !OWN_BUSINESS.has(tablename))
      .map(
        ({ tablename }) =>
          `select '${tablename}' as name, count(*) || ' rows ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest from ${read(tablename)} t`,
      )
      .join(' union all ')
    postgres.set(name, { opened, query })
  }
  const take = async () => {
    const found: Snapshot = new Map()
    for (const [service, { opened, query }] of postgres) {
      const { rows } = await sql.raw<{ name: string; digest: string }>(query).execute(opened.db)
      for (const { name, digest } of rows) found.set(`${service}.${name}`, digest)
    }
    for (const [service, { db }] of mongo)
      for (const { name } of await db.listCollections().toArray()) {
        if (OWN_BUSINESS.has(name)) continue
        const documents = await db.collection(name).find().sort({ _id: 1 }).toArray()
        const text = JSON.stringify(documents, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value))
        found.set(`${service}.${name}`, `${documents.length} rows ${createHash('md5').update(text).digest('hex')}`)
      }
    return found
  }
  return {
    take,
    async calm() {
      for (let before: Snapshot | undefined; ; ) {
        await devnet.settle()
        for (const job of ['expand-notices', 'send-messages', 'deliver-webhooks'])
          await devnet.services.get('notification')!.runJob(job)
        const after = await take()
        if (before && changedSince(before, after).length === 0) return after
        before = after
      }
    },
    async close() {
      for (const { opened } of postgres.values()) await opened.close()
      for (const opened of mongo.values()) await opened.close()
    },
  }
}

/** The tables and collections that differ. */
export const changedSince = (before: Snapshot, after: Snapshot): string[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => (before.get(name) ?? '0 rows ') !== (after.get(name) ?? '0 rows '))
    .filter((name) => !/^0 rows /.test(before.get(name) ?? '0 rows ') || !/^0 rows /.test(after.get(name) ?? '0 rows '))
    .map((name) => `${name}: ${before.get(name) ?? 'absent'} → ${after.get(name) ?? 'absent'}`)
