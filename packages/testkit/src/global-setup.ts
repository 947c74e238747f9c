import { fileURLToPath } from 'node:url'
import { startStores } from '@haat/stores/stores'

/** Starts the stores once for the whole run, and puts their URLs where every test process finds them. */
export default async function setup(): Promise<() => Promise<void>> {
  const stores = await startStores({
    dataDir: fileURLToPath(new URL('../../../.data/test', import.meta.url)),
    durable: false,
    log: (line) => process.stderr.write(`${line}\n`),
  })
  process.env.POSTGRES_URL = stores.urls.postgres
  process.env.MONGO_URL = stores.urls.mongo
  process.env.REDIS_URL = stores.urls.redis
  process.env.RABBITMQ_URL = stores.urls.rabbitmq
  return () => stores.close()
}
