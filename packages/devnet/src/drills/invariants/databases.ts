import { createLog } from '@haat/kit/log'
import { type Mongo, openMongo } from '@haat/kit/mongo'
import { openPostgres, type Postgres, sql, withDatabase } from '@haat/kit/postgres'
import type { Stores } from '@haat/stores/stores'
import type { State } from '@haat/stripe-emulator/state'
import { type Member, roster } from '../../roster.ts'

/** An installation as seen from behind its services: its stores, and the provider's own record of the money. */
export type Installation = {
  stores: Pick<Stores, 'urls'>
  /** First part of the names of its databases, queues and exchanges, when it shares the stores. */
  prefix?: string
  /** Its waiting times before an event is handled again, when they are not the usual ones. */
  retrySeconds?: readonly number[]
  stripe: { state(): State }
}

export type Databases = {
  /** Reads a PostgreSQL service's database. */
  rows<Row>(service: string, query: string): Promise<Row[]>
  /** A MongoDB service's database. */
  mongo(service: string): Mongo['db']
  close(): Promise<void>
}

export const servicesWith = (store: Member['stores'][number]): string[] =>
  roster.filter(({ kind, stores }) => kind === 'service' && stores.includes(store)).map(({ name }) => name)

/** Opens the databases of all services as the stores' superuser. */
export async function openDatabases({ stores, prefix }: Omit<Installation, 'stripe'>): Promise<Databases> {
  const log = createLog('invariants', 'silent')
  const database = (service: string) => `${prefix ? `${prefix}_` : ''}haat_${service}`
  const postgres = new Map<string, Postgres<never>>()
  for (const name of servicesWith('postgres')) {
    const url = withDatabase(stores.urls.postgres, database(name))
    postgres.set(name, openPostgres<never>({ url, poolSize: 1, name: 'invariants', log }))
  }
  const mongo = new Map<string, Mongo>()
  for (const name of servicesWith('mongo'))
    mongo.set(name, await openMongo({ url: stores.urls.mongo, database: database(name), name: 'invariants' }))
  return {
    async rows<Row>(service: string, query: string) {
      return (await sql.raw<Row>(query).execute(postgres.get(service)!.db)).rows
    },
    mongo: (service) => mongo.get(service)!.db,
    async close() {
      for (const { close } of [...postgres.values(), ...mongo.values()]) await close()
    },
  }
}
