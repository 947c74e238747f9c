// Commits events at an even rate, and hears when their handler has committed: one clock sees both ends.
import { performance } from 'node:perf_hooks'
import { emit } from '@haat/kit/events/emit'
import { startEvents } from '@haat/kit/events/events'
import { createLog } from '@haat/kit/log'
import { openPostgres } from '@haat/kit/postgres'
import { InventoryStockChanged } from '@haat/proto/inventory/v1/events'
import pg from 'pg'
import { HANDLED_CHANNEL, type PublisherTask, SKUS } from './protocol.ts'

const task = JSON.parse(process.argv[2]!) as PublisherTask
const log = createLog('bench-publisher', 'warn')
const { db, close } = openPostgres<object>({ url: task.url, name: 'bench-publisher', poolSize: 8, log })
const events = await startEvents({
  service: 'bench-publisher',
  url: task.rabbitmqUrl,
  log,
  ctx: {},
  handlers: [],
  retrySeconds: [1],
  secrets: ['bench'],
  db,
  pgUrl: task.url,
  prefix: task.prefix,
})

const MOST_OPEN = 100
const committedAt = new Map<string, number>()
const latencies: number[] = []
let measuring = false
const listener = new pg.Client({ connectionString: task.handlerUrl })
await listener.connect()
listener.on('notification', ({ payload }) => {
  const began = committedAt.get(payload!)
  committedAt.delete(payload!)
  if (began !== undefined) latencies.push(performance.now() - began)
})
await listener.query(`listen ${HANDLED_CHANNEL}`)

let emitted = 0
const one = async (at: number) => {
  const sku = `SKU-${at % SKUS}`
  await db.transaction().execute(async (tx) => {
    const data = { sku, productId: '', vendorId: '', onHand: at, reserved: 0, available: at }
    const id = await emit(tx, InventoryStockChanged, data)
    // Before the commit is sent, so that the handler cannot be quicker than this line.
    if (measuring) committedAt.set(id, performance.now())
  })
  emitted += 1
}

/** Emits at the wanted rate, in small steps; what cannot be kept up with is left out. */
async function emitFor(seconds: number): Promise<void> {
  const stepMs = 10
  const perStep = (task.perSecond * stepMs) / 1000
  const began = performance.now()
  const open = new Set<Promise<unknown>>()
  for (let at = 0; performance.now() - began < seconds * 1000; ) {
    const due = ((performance.now() - began) / stepMs) * perStep
    for (; at < due; at++) {
      if (open.size >= MOST_OPEN) continue
      const running: Promise<unknown> = one(at).finally(() => open.delete(running))
      open.add(running)
    }
    await new Promise((resolve) => setTimeout(resolve, stepMs))
  }
  await Promise.all(open)
}

process.send!('ready')
await emitFor(task.warmupSeconds)
measuring = true
emitted = 0
process.send!('measuring')
const began = performance.now()
await emitFor(task.seconds)
const seconds = (performance.now() - began) / 1000
measuring = false
const giveUpAt = performance.now() + 30_000
while (committedAt.size > 0 && performance.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 20))
process.send!({ latencies: latencies.sort((a, b) => a - b), perSecond: emitted / seconds, lost: committedAt.size })
process.once('message', async () => {
  await events.close()
  await listener.end()
  await close()
  process.disconnect()
})
