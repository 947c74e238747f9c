import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@haat/kit/log'
import { migrate, openPostgres, sql, withDatabase } from '@haat/kit/postgres'
import type { Stores } from '@haat/stores/stores'
import { removeTraces } from '@haat/testkit/remove-traces'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { environmentOf, portsFrom } from '../src/environment.ts'
import { roster } from '../src/roster.ts'
import { openSecrets } from '../src/secrets.ts'

// The databases as an installation makes them, with every service's migrations; the services themselves are not needed.
const dataDir = mkdtempSync(join(tmpdir(), 'haat-isolation-'))
const prefix = `iso${randomBytes(3).toString('hex')}`
const { POSTGRES_URL, MONGO_URL, REDIS_URL, RABBITMQ_URL } = process.env as Record<string, string>
const urls = { postgres: POSTGRES_URL!, mongo: MONGO_URL!, redis: REDIS_URL!, rabbitmq: RABBITMQ_URL! }
const stores: Stores = { urls, chosen: urls, close: async () => undefined }
const log = createLog('test', 'silent')

type Place = { name: string; database: string; url: string; migrateUrl: string }
const places: Place[] = []

beforeAll(async () => {
  const secrets = openSecrets(dataDir)
  for (const member of roster.filter((one) => one.stores.includes('postgres'))) {
    const env = await environmentOf(member, { stores, secrets, dataDir, ports: portsFrom(20_000), prefix })
    const url = env.POSTGRES_URL!
    const migrateUrl = env.POSTGRES_MIGRATE_URL!
    await migrate(migrateUrl, new URL(`../../../services/${member.name}/migrations/`, import.meta.url))
    places.push({ name: member.name, database: new URL(url).pathname.slice(1), url, migrateUrl })
  }
}, 120_000)

afterAll(async () => {
  await removeTraces({ urls, postgres: places.map((p) => p.database), mongo: [], queues: [], exchanges: [] })
  rmSync(dataDir, { recursive: true, force: true })
}, 60_000)

/** Runs one statement on a connection of its own; answers the error's SQLSTATE, or `ok`. */
async function attempt(url: string, statement: string): Promise<string> {
  const { db, close } = openPostgres<never>({ url, poolSize: 1, name: 'test', log })
  return await sql
    .raw(statement)
    .execute(db)
    .then(
      () => 'ok',
      (error: { code?: string; message: string }) => error.code ?? error.message,
    )
    .finally(close)
}

const DENIED = '42501'
const WRONG_PASSWORD = '28P01'
const place = (name: string) => places.find((one) => one.name === name)!

test('no role of a service, owner or not, connects to the database of another', async () => {
  expect(places.length).toBeGreaterThanOrEqual(9)
  const open: string[] = []
  for (const own of places)
    for (const other of places.filter((one) => one !== own))
      for (const url of [own.url, own.migrateUrl])
        if ((await attempt(withDatabase(url, other.database), 'select 1')) !== DENIED)
          open.push(`${new URL(url).username} → ${other.database}`)
  expect(open).toEqual([])
}, 120_000)

test("order's role cannot read payment's tables, even for somebody who is inside payment's database", async () => {
  const order = new URL(place('order').url).username
  const { db, close } = openPostgres<never>({
    url: withDatabase(urls.postgres, place('payment').database),
    poolSize: 1,
    name: 'test',
    log,
  })
  const { rows } = await sql<{ tablename: string; readable: boolean }>`
    select tablename, has_table_privilege(${order}, format('public.%I', tablename), 'select, insert, update, delete') as readable
    from pg_tables where schemaname = 'public'`.execute(db)
  await sql`set role ${sql.id(order)}`.execute(db)
  await expect(sql`select * from payments`.execute(db)).rejects.toMatchObject({ code: DENIED })
  await close()
  expect(rows.map((row) => row.tablename)).toContain('ledger_postings')
  expect(rows.filter((row) => row.readable)).toEqual([])
})

test('a service works with its rows and cannot change what its tables are', async () => {
  for (const { url, name } of places) {
    const user = new URL(url).username
    expect([name, await attempt(url, 'select * from outbox limit 1')]).toEqual([name, 'ok'])
    for (const statement of [
      'create table sneaky (id int)',
      'create temporary table sneaky (id int)',
      'create schema sneaky',
      'create extension hstore',
      'alter table outbox add column sneaky int',
      'alter table outbox disable trigger all',
      'create index sneaky on outbox (id)',
      'drop table outbox',
      'truncate outbox',
      `create database sneaky`,
      `create role sneaky`,
      `alter role ${JSON.stringify(user)} superuser`,
      `set role ${JSON.stringify(`${user}_owner`)}`,
      "copy (select 1) to program 'true'",
    ])
      expect([name, statement, await attempt(url, statement)]).toEqual([name, statement, DENIED])
  }
}, 120_000)

test("the service's password does not open its owner's role", async () => {
  for (const { url, migrateUrl } of places) {
    const asOwner = new URL(url)
    asOwner.username = new URL(migrateUrl).username
    expect(await attempt(asOwner.href, 'select 1')).toBe(WRONG_PASSWORD)
  }
})
