// Handles the events, one row written and one inbox row each, and notes when each of them was committed.
import { afterCommit } from '@haat/kit/commits'
import { startEvents } from '@haat/kit/events/events'
import { on } from '@haat/kit/events/on'
import { createLog } from '@haat/kit/log'
import { openPostgres, sql } from '@haat/kit/postgres'
import { InventoryStockChanged } from '@haat/proto/inventory/v1/events'
import { type HandlerTask, type Moments, sharedClock } from './protocol.ts'

const task = JSON.parse(process.argv[2]!) as HandlerTask
const log = createLog('bench-handler', 'warn')
const { db, close } = openPostgres<object>({ url: task.url, name: 'bench-handler', poolSize: 8, log })
const handled: Moments = []
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
      await afterCommit(tx, () => handled.push([envelope.eventId, sharedClock()]))
    }),
  ],
  retrySeconds: [1],
  secrets: ['bench'],
  db,
  prefix: task.prefix,
})
process.send!('ready')
process.on('message', async (message) => {
  if (message !== 'stop') return void process.send!(handled)
  await events.close()
  await close()
  process.disconnect()
})
