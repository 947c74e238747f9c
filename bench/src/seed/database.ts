import pg from 'pg'

/** The URL of one service's database on a server. */
export function databaseUrl(postgresUrl: string, database: string): string {
  const url = new URL(postgresUrl)
  url.pathname = `/${database}`
  return url.href
}

/** Makes an empty database, in the place of an earlier run's; answers its URL. */
export async function makeDatabase(postgresUrl: string, database: string): Promise<string> {
  const admin = new pg.Client({ connectionString: postgresUrl })
  await admin.connect()
  await admin.query(`drop database if exists ${database} with (force)`)
  await admin.query(`create database ${database}`)
  await admin.end()
  return databaseUrl(postgresUrl, database)
}
