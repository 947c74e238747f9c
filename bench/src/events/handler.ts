// Handles the events: one row written, one inbox row, and a notification that leaves with the commit.
import { startEvents } from '@haat/kit/events/events'
import { on } from '@haat/kit/events/on'
import { createLog } from '@haat/kit/log'
import { openPostgres, sql } from '@haat/kit/postgres'
import { InventoryStockChanged } from '@haat/proto/inventory/v1/events'
import { HANDLED_CHANNEL, type HandlerTask } from './protocol.ts'

const task = JSON.parse(process.argv[2]!) as HandlerTask
const log = createLog('bench-handler', 'warn')
const { db, close } = openPostgres<object>({ url: task.url, name: 'bench-handler', poolSize: 8, log })
const events = await startEvents({
  service: 'bench-handler',
  url: task.rabbitmqUrl,
  log,
  ctx: {},
  handlers: [
    on(InventoryStockChanged, async (_, { data, envelope }, tx) => {
      await sql`
        insert into levels (sku, available) values (${data.sku}, ${data.available})
        on conflict (sku) do update set available = excluded.available, changes = levels.changes + 1
      `.execute(tx)
      await sql`select pg_notify(${HANDLED_CHANNEL}, ${envelope.eventId})`.execute(tx)
    }),
  ],
  retrySeconds: [1],
  secrets: ['bench'],
  db,
  pgUrl: task.url,
  prefix: task.prefix,
})
process.send!('ready')
process.once('message', async () => {
  await events.close()
  await close()
  process.disconnect()
})
