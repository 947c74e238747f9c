import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { type Insertable, Kysely, type Selectable, type Transaction, type Updateable } from 'kysely'
import pg from 'pg'
import { CommitDialect } from './commits.ts'
import type { Log } from './log.ts'
import { createPreparingClient } from './prepared.ts'

export { sql } from 'kysely'
export type { Insertable, Selectable, Transaction, Updateable }

// int8, numeric without fraction, sum() and count() are exact integers; never floats, never strings.
const types = new pg.TypeOverrides()
types.setTypeParser(pg.types.builtins.INT8, (value) => BigInt(value))
types.setTypeParser(pg.types.builtins.NUMERIC, (value) => (value.includes('.') ? value : BigInt(value)) as never)
types.setTypeParser(pg.types.builtins.DATE, (value) => value)

export type Postgres<Schema> = { db: Kysely<Schema>; pool: pg.Pool; close(): Promise<void> }

/**
 * Opens a pool that survives killed backends: an error on a checked-out client fails that transaction only. Statements,
 * locks and idle transactions have time limits, so that nothing waits for ever.
 */
export function openPostgres<Schema>(options: {
  url: string
  poolSize?: number
  name: string
  log: Log
}): Postgres<Schema> {
  const pool = new pg.Pool({
    Client: createPreparingClient(),
    connectionString: options.url,
    max: options.poolSize ?? 10,
    application_name: options.name,
    connectionTimeoutMillis: 5_000,
    // A new connection costs a process, a password check and every plan anew.
    idleTimeoutMillis: 60_000,
    statement_timeout: 15_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 30_000,
    types,
  })
  // The error carries the client and with it the backend's cancel key: only code and message are logged.
  const lost = ({ code, message }: Error & { code?: string }) =>
    options.log.warn({ code, reason: message }, 'postgres connection lost')
  pool.on('connect', (client) => client.on('error', lost))
  pool.on('error', lost)
  const db = new Kysely<Schema>({ dialect: new CommitDialect({ pool }) })
  return { db, pool, close: () => db.destroy() }
}

/**
 * Applies the SQL files of a folder in the order of their names, each once and in its own transaction, under an advisory
 * lock, so that several instances may start together. A file that changed after it was applied is an error.
 */
export async function migrate(url: string, folder: URL): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'migrate' })
  await client.connect()
  const applied: string[] = []
  try {
    await client.query(`select pg_advisory_lock(hashtext('haat.migrate'))`)
    await client.query(
      'create table if not exists schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    )
    const known = new Map(
      (await client.query<{ name: string; checksum: string }>('select name, checksum from schema_migrations')).rows.map(
        (row) => [row.name, row.checksum],
      ),
    )
    const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
    for (const name of files) {
      const text = await readFile(new URL(name, folder.href.endsWith('/') ? folder : `${folder.href}/`), 'utf8')
      const checksum = createHash('sha256').update(text).digest('hex')
      const before = known.get(name)
      if (before === checksum) continue
      if (before) throw new Error(`migration ${name} changed after it was applied`)
      await client.query('begin')
      try {
        await client.query(text)
        await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum])
        await client.query('commit')
      } catch (error) {
        await client.query('rollback')
        throw new Error(`migration ${name} failed: ${(error as Error).message}`, { cause: error })
      }
      applied.push(name)
    }
  } finally {
    await client.end()
  }
  return applied
}

/** The constraint a unique or check violation names, else undefined. */
export function violatedConstraint(error: unknown): string | undefined {
  const e = error as { code?: string; constraint?: string }
  return e?.code === '23505' || e?.code === '23514' || e?.code === '23503' ? e.constraint : undefined
}

/**
 * Creates what one service owns in a cluster, if missing: a database, its owner role (migrations only) and a
 * least-privilege role (data only) that may connect to no other service's database. Used by devnet and the tests;
 * production does the same with its own secrets.
 */
export async function provisionDatabase(
  adminUrl: string,
  options: {
    database: string
    role: string
    password: string
    /** The owner's; the same as `password` when absent. */
    ownerPassword?: string
    template?: string
  },
): Promise<{ url: string; migrateUrl: string }> {
  const owner = `${options.role}_owner`
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
  const literal = (value: string) => `'${value.replaceAll("'", "''")}'`
  const admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  try {
    await admin.query(`select pg_advisory_lock(hashtext('haat.provision'))`)
    const passwords = { [owner]: options.ownerPassword ?? options.password, [options.role]: options.password }
    for (const [role, password] of Object.entries(passwords))
      await admin.query(
        `do $$ begin if not exists (select from pg_roles where rolname = ${literal(role)}) then create role ${quote(role)} login password ${literal(password)}; else alter role ${quote(role)} password ${literal(password)}; end if; end $$`,
      )
    const exists = await admin.query('select 1 from pg_database where datname = $1', [options.database])
    if (exists.rowCount === 0) {
      await admin.query(
        `create database ${quote(options.database)} owner ${quote(owner)}${options.template ? ` template ${quote(options.template)}` : ''}`,
      )
      await admin.query(`revoke all on database ${quote(options.database)} from public`)
      await admin.query(`grant connect on database ${quote(options.database)} to ${quote(options.role)}`)
      if (!options.template) {
        const inside = new pg.Client({ connectionString: withDatabase(adminUrl, options.database) })
        await inside.connect()
        await inside.query(`alter schema public owner to ${quote(owner)}`)
        await inside.query(`grant usage on schema public to ${quote(options.role)}`)
        for (const what of [
          'select, insert, update, delete on tables',
          'usage, select, update on sequences',
          'execute on functions',
        ])
          await inside.query(
            `alter default privileges for role ${quote(owner)} in schema public grant ${what} to ${quote(options.role)}`,
          )
        for (const extension of ['pg_trgm', 'citext', 'btree_gin', 'pgcrypto'])
          await inside.query(`create extension if not exists ${extension}`)
        await inside.end()
      }
    }
  } finally {
    await admin.end()
  }
  const url = (role: string, password: string) => {
    const parsed = new URL(withDatabase(adminUrl, options.database))
    parsed.username = role
    parsed.password = password
    return parsed.href
  }
  return {
    url: url(options.role, options.password),
    migrateUrl: url(owner, options.ownerPassword ?? options.password),
  }
}

export function withDatabase(url: string, database: string): string {
  const parsed = new URL(url)
  parsed.pathname = `/${database}`
  return parsed.href
}
