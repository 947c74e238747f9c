import { expect, onTestFinished, test } from 'vitest'
import { openDeadLetters } from '../src/events/dead-letters.ts'
import { emit } from '../src/events/emit.ts'
import { createEnvelope } from '../src/events/envelope.ts'
import { on, onIdempotent } from '../src/events/on.ts'
import { openPublisher } from '../src/events/publisher.ts'
import { brokerObjects, handlerQueues, names } from '../src/events/topology.ts'
import {
  createDatabase,
  eventually,
  log,
  openBroker,
  rabbitUrl,
  removeFromBroker,
  start,
  type Thing,
  ThingHappened,
  thing,
  uniqueName,
} from './events-support.ts'

const QUEUE = 'things.thing.happened'

function open(prefix: string) {
  const letters = openDeadLetters({ url: rabbitUrl, log, prefix })
  onTestFinished(() => letters.close())
  return letters
}

/** A service whose handler fails until it is repaired, with `count` dead letters. */
async function withDeadLetters(count: number) {
  const database = await createDatabase()
  const prefix = uniqueName()
  let broken = true
  const handler = on<unknown, Thing>(ThingHappened, async (_ctx, { envelope, data }, tx) => {
    if (broken) throw new Error('broken')
    await tx.insertInto('effects').values({ event_id: envelope.eventId, thing_id: data.thingId }).execute()
  })
  const events = await start({ prefix, db: database.db, handlers: [handler] })
  const ids: string[] = []
  for (let i = 0; i < count; i++)
    ids.push(await database.db.transaction().execute((tx) => emit(tx, ThingHappened, thing(`t-${i}`))))
  await events.settle()
  const repair = () => {
    broken = false
  }
  return { events, ids, database, letters: open(prefix), repair }
}

test('looking at dead letters leaves them where they are', async () => {
  const { letters, ids } = await withDeadLetters(3)
  const found = async () => (await letters.list(QUEUE)).map((letter) => letter.eventId).sort()
  expect(await found()).toEqual([...ids].sort())
  expect(await found()).toEqual([...ids].sort())
  expect(await letters.list(QUEUE, 2)).toHaveLength(2)
  await eventually(async () => expect(await letters.count(QUEUE)).toBe(3))
})

test('a requeued dead letter is handled again and takes effect once', async () => {
  const { letters, ids, database, events, repair } = await withDeadLetters(3)
  repair()
  expect(await letters.list(QUEUE)).toHaveLength(3)
  await letters.requeue(QUEUE, ids[1]!)
  await events.settle()
  const rows = await database.db.selectFrom('effects').selectAll().execute()
  expect(rows).toEqual([{ event_id: ids[1], thing_id: 't-1' }])
  await eventually(async () => expect(await letters.count(QUEUE)).toBe(2))
})

test('a requeued dead letter that still fails becomes a dead letter again', async () => {
  const { letters, ids, events } = await withDeadLetters(1)
  await letters.requeue(QUEUE, ids[0]!)
  await events.settle()
  expect(await letters.list(QUEUE)).toMatchObject([{ eventId: ids[0], attempts: 1 }])
})

test('requeueing all gives every dead letter back', async () => {
  const { letters, database, events, repair } = await withDeadLetters(20)
  repair()
  expect(await letters.requeueAll(QUEUE)).toBe(20)
  await events.settle()
  expect(await database.effects()).toEqual({ all: 20, events: 20 })
  expect(await letters.count(QUEUE)).toBe(0)
})

test('a discarded dead letter is gone and the others stay', async () => {
  const { letters, ids } = await withDeadLetters(3)
  await letters.discard(QUEUE, ids[0]!)
  await eventually(async () =>
    expect((await letters.list(QUEUE)).map((letter) => letter.eventId).sort()).toEqual(ids.slice(1).sort()),
  )
})

test('an unknown dead letter or queue is NOT_FOUND', async () => {
  const { letters } = await withDeadLetters(1)
  await expect(letters.requeue(QUEUE, 'unknown')).rejects.toMatchObject({ code: 'dead_letter_not_found' })
  await expect(letters.discard(QUEUE, 'unknown')).rejects.toMatchObject({ code: 'dead_letter_not_found' })
  await expect(letters.list('things.nothing')).rejects.toMatchObject({ code: 'queue_not_found' })
  expect(await letters.list(QUEUE)).toHaveLength(1)
})

test('an event that kills its process again and again becomes a dead letter too', async () => {
  const prefix = uniqueName()
  const queues = handlerQueues('things', [onIdempotent(ThingHappened, async () => undefined)])
  const publisher = openPublisher({
    url: rabbitUrl,
    service: 'things',
    log,
    prefix,
    retrySeconds: [],
    queues,
    onReady() {},
  })
  await publisher.whenReady(5_000)
  const envelope = createEnvelope(ThingHappened, thing('t'), { sequence: 1 })
  await publisher.publish([envelope])

  // A consumer that dies takes its channel with it, unacknowledged.
  const broker = openBroker()
  const letters = open(prefix)
  await eventually(async () => {
    const channel = await broker.acquire()
    const message = await channel.basicGet(names(prefix).queue(QUEUE))
    if (message) channel.basicNack({ deliveryTag: message.deliveryTag, requeue: true })
    await channel.close()
    expect(await letters.count(QUEUE)).toBe(1)
  })
  expect(await letters.list(QUEUE)).toMatchObject([
    { eventId: envelope.eventId, attempts: 0, errorClass: 'DeliveryLimit', requestId: envelope.trace.requestId },
  ])
  await broker.close()
  await publisher.close()
  await removeFromBroker(brokerObjects(prefix, [], [QUEUE]))
})
