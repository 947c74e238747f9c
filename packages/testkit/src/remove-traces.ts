import { createLog } from '@haat/kit/log'
import { openPostgres, sql } from '@haat/kit/postgres'
import { MongoClient } from 'mongodb'
import { Connection } from 'rabbitmq-client'

/** Takes what one installation made off the run's stores: databases with the roles named after them, queues, exchanges. */
export async function removeTraces(options: {
  urls: { postgres: string; mongo: string; rabbitmq: string }
  postgres: string[]
  mongo: string[]
  queues: Iterable<string>
  exchanges: Iterable<string>
}): Promise<void> {
  const { urls } = options
  const postgres = openPostgres<never>({
    url: urls.postgres,
    poolSize: 1,
    name: 'test',
    log: createLog('test', 'silent'),
  })
  for (const database of options.postgres) {
    await sql`drop database if exists ${sql.id(database)} with (force)`.execute(postgres.db)
    for (const role of [database, `${database}_owner`])
      await sql`drop role if exists ${sql.id(role)}`.execute(postgres.db)
  }
  await postgres.close()
  const mongo = await new MongoClient(urls.mongo).connect()
  for (const database of options.mongo) await mongo.db(database).dropDatabase()
  await mongo.close()
  const broker = new Connection(urls.rabbitmq)
  for (const queue of options.queues) await broker.queueDelete({ queue })
  for (const exchange of options.exchanges) await broker.exchangeDelete({ exchange })
  await broker.close()
}
