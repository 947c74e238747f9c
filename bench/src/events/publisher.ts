// Commits events at an even rate, for as long as each message says.
import { emit } from '@haat/kit/events/emit'
import { startEvents } from '@haat/kit/events/events'
import { createLog } from '@haat/kit/log'
import { openPostgres } from '@haat/kit/postgres'
import { InventoryStockChanged } from '@haat/proto/inventory/v1/events'
import { type Moments, type Published, type PublisherTask, SKUS, sharedClock } from './protocol.ts'

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
  prefix: task.prefix,
})

const MOST_OPEN = 100
let committing: Moments = []

const one = async (at: number) => {
  const sku = `SKU-${at % SKUS}`
  await db.transaction().execute(async (tx) => {
    const data = { sku, productId: '', vendorId: '', onHand: at, reserved: 0, available: at }
    const id = await emit(tx, InventoryStockChanged, data)
    // Before the commit is sent, so that the handler cannot be quicker than this line.
    committing.push([id, sharedClock()])
  })
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

process.on('message', async (message: 'stop' | { seconds: number }) => {
  if (message !== 'stop') {
    const began = performance.now()
    committing = []
    await emitFor(message.seconds)
    const seconds = (performance.now() - began) / 1000
    return void process.send!({ committing, perSecond: committing.length / seconds } satisfies Published)
  }
  await events.close()
  await close()
  process.disconnect()
})
process.send!('ready')
