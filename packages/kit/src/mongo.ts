import { type Db, MongoClient } from 'mongodb'

export { BSON } from 'mongodb'

export type Mongo = { client: MongoClient; db: Db; close(): Promise<void> }

/**
 * Opens a MongoDB database. int64 arrives as bigint (money never passes through a float); every wait is bounded. Only
 * atomic single-document writes are used, so that a standalone server serves as well as a replica set.
 */
export async function openMongo(options: { url: string; database: string; name: string }): Promise<Mongo> {
  const client = new MongoClient(options.url, {
    appName: options.name,
    useBigInt64: true,
    maxPoolSize: 20,
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    socketTimeoutMS: 15_000,
    retryWrites: false,
    ignoreUndefined: true,
    // What is in there was written by this driver, which writes nothing else.
    enableUtf8Validation: false,
  })
  // The pool wakes up this often to see whether it has too few connections, and ten times a second unless told otherwise. The driver
  // reads the option from here only; without a `minPoolSize` there is nothing to see.
  Object.assign(client.options, { minPoolSizeCheckFrequencyMS: 10_000 })
  await client.connect()
  return { client, db: client.db(options.database), close: () => client.close() }
}

/** True when a unique index refused the write; `field` narrows it to the index that names the field. */
export function isDuplicateKey(error: unknown, field?: string): boolean {
  const e = error as { code?: number; message?: string; keyPattern?: Record<string, unknown> }
  if (e?.code !== 11000) return false
  return field === undefined || (e.keyPattern ? field in e.keyPattern : (e.message ?? '').includes(field))
}
