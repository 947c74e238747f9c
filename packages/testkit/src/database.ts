import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createLog } from '@haat/kit/log'
import { migrate, openPostgres, provisionDatabase, withDatabase } from '@haat/kit/postgres'
import type { Kysely } from 'kysely'
import pg from 'pg'

export type TestDatabase = {
  url: string
  migrateUrl: string
  /** As superuser: looks behind the service's back. */
  db: Kysely<never>
  /** With the service's own, least-privilege role. */
  asService: Kysely<never>
  drop(): Promise<void>
}

const PASSWORD = 'test'
const log = createLog('test', 'silent')

/** A fresh database for one test file: a clone of the service's migrated template, which is made on first use. */
export async function cloneDatabase(adminUrl: string, service: string, migrations: URL): Promise<TestDatabase> {
  const role = `haat_${service}`
  const names = (await readdir(migrations)).filter((name) => name.endsWith('.sql')).sort()
  const hash = createHash('sha256')
  for (const name of names) hash.update(name).update(await readFile(new URL(name, migrations)))
  const template = `${role}_template_${hash.digest('hex').slice(0, 10)}`
  const admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  const database = `${role}_test_${randomBytes(5).toString('hex')}`
  try {
    await admin.query(`select pg_advisory_lock(hashtext('haat.template.' || $1))`, [service])
    const exists = await admin.query('select 1 from pg_database where datname = $1 and datistemplate', [template])
    if (exists.rowCount === 0) {
      await admin.query(`drop database if exists "${template}"`)
      const { migrateUrl } = await provisionDatabase(adminUrl, { database: template, role, password: PASSWORD })
      await migrate(migrateUrl, migrations)
      await admin.query(`update pg_database set datistemplate = true where datname = $1`, [template])
    }
    const urls = await provisionDatabase(adminUrl, { database, role, password: PASSWORD, template })
    const db = openPostgres<never>({ url: withDatabase(adminUrl, database), poolSize: 4, name: 'test', log })
    const asService = openPostgres<never>({ url: urls.url, poolSize: 1, name: 'test', log })
    return {
      ...urls,
      db: db.db,
      asService: asService.db,
      async drop() {
        await Promise.all([db.close(), asService.close()])
        const again = new pg.Client({ connectionString: adminUrl })
        await again.connect()
        await again.query(`drop database if exists "${database}" with (force)`)
        await again.end()
      },
    }
  } finally {
    await admin.end()
  }
}
