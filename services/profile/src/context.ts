import type { Chassis } from '@haat/kit/service'
import type { Kysely } from 'kysely'
import type { Database } from './db/schema.ts'

export type ProfileContext = {
  db: Kysely<Database>
  now: () => Date
}

export async function createContext(chassis: Chassis): Promise<ProfileContext> {
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  return { db, now: () => new Date() }
}
