import { type DeadLetters, openDeadLetters } from './events/dead-letters.ts'
import { createLog } from './log.ts'

// For operators, in any service's container (README).
const USAGE = `usage: node dead-letters.ts QUEUE [list | requeue EVENT_ID|all | discard EVENT_ID]
  QUEUE is a handler's queue: order.payment.succeeded. RABBITMQ_URL says where; EVENT_PREFIX as the services have it.`

const actions: Record<string, (letters: DeadLetters, queue: string, id: string) => Promise<void>> = {
  async list(letters, queue) {
    for (const { body, ...letter } of await letters.list(queue)) console.log(JSON.stringify(letter))
  },
  async requeue(letters, queue, id) {
    if (id === 'all') console.log(`requeued ${await letters.requeueAll(queue)}`)
    else {
      await letters.requeue(queue, id)
      console.log(`requeued ${id}`)
    }
  },
  async discard(letters, queue, id) {
    await letters.discard(queue, id)
    console.log(`discarded ${id}`)
  },
}

const [queue, action = 'list', id = ''] = process.argv.slice(2)
const { RABBITMQ_URL: url, EVENT_PREFIX: prefix } = process.env
const act = actions[action]
if (!queue || !act || !url || (action !== 'list' && !id)) {
  console.error(USAGE)
  process.exit(2)
}
const letters = openDeadLetters({ url, log: createLog('dead-letters', 'warn'), ...(prefix ? { prefix } : {}) })
try {
  await act(letters, queue, id)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
} finally {
  await letters.close()
}
