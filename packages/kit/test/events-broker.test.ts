import { expect, test } from 'vitest'
import { emit } from '../src/events/emit.ts'
import { on, onIdempotent } from '../src/events/on.ts'
import { names } from '../src/events/topology.ts'
import {
  createDatabase,
  createProxy,
  eventually,
  openBroker,
  rabbitUrl,
  start,
  type Thing,
  ThingEnded,
  ThingHappened,
  thing,
  uniqueName,
} from './events-support.ts'

const recordEffect = on<unknown, Thing>(ThingHappened, async (_ctx, { envelope, data }, tx) => {
  await tx.insertInto('effects').values({ event_id: envelope.eventId, thing_id: data.thingId }).execute()
})

test('broker connections cut again and again lose no event and repeat no effect', async () => {
  const database = await createDatabase()
  const proxy = await createProxy(rabbitUrl)
  const events = await start({
    prefix: uniqueName(),
    url: proxy.url,
    db: database.db,
    handlers: [recordEffect],
  })
  let cuts = 0
  for (let i = 0; i < 300; i++) {
    await database.db.transaction().execute((tx) => emit(tx, ThingHappened, thing(`t-${i}`)))
    if (i % 60 === 30) {
      await eventually(() => expect(events.ready).toBe(true))
      proxy.cut()
      cuts++
    }
  }
  expect(cuts).toBe(5)
  await eventually(async () => expect(await database.effects()).toEqual({ all: 300, events: 300 }))
  await events.settle()
})

test('a service starts, commits and answers while the broker is down, and catches up afterwards', async () => {
  const database = await createDatabase()
  const proxy = await createProxy(rabbitUrl)
  proxy.refuse(true)
  const events = await start({
    prefix: uniqueName(),
    url: proxy.url,
    db: database.db,
    handlers: [recordEffect],
  })
  expect(events.ready).toBe(false)
  await database.db.transaction().execute((tx) => emit(tx, ThingHappened, thing('t')))
  await events.relayNow()
  expect(await events.pending()).toBe(1)
  proxy.refuse(false)
  await eventually(async () => expect(await database.effects()).toEqual({ all: 1, events: 1 }))
  expect(events.ready).toBe(true)
})

test('a service stops in time while the broker is down, and keeps what is unpublished', async () => {
  const database = await createDatabase()
  const proxy = await createProxy(rabbitUrl)
  const options = { prefix: uniqueName(), db: database.db, handlers: [recordEffect] }
  const first = await start({ ...options, url: proxy.url })
  proxy.refuse(true)
  await eventually(() => expect(first.ready).toBe(false))
  await database.db.transaction().execute((tx) => emit(tx, ThingHappened, thing('t')))
  const before = performance.now()
  await first.close()
  expect(performance.now() - before).toBeLessThan(3_000)
  const second = await start(options)
  await second.settle()
  expect(await database.effects()).toEqual({ all: 1, events: 1 })
})

test('a broker that stops answering holds up nobody but its own events', async () => {
  const database = await createDatabase()
  const proxy = await createProxy(rabbitUrl)
  const events = await start({ prefix: uniqueName(), url: proxy.url, db: database.db, handlers: [recordEffect] })
  await events.settle()
  proxy.stall(true)
  await database.db.transaction().execute((tx) => emit(tx, ThingHappened, thing('t')))
  // A pass gives the rows back after five seconds instead of holding their locks for ever.
  const before = performance.now()
  await events.relayNow()
  expect(performance.now() - before).toBeLessThan(12_000)
  expect(await events.pending()).toBe(1)
  proxy.stall(false)
  await eventually(async () => expect(await events.pending()).toBe(0))
  await eventually(async () => expect(await database.effects()).toEqual({ all: 1, events: 1 }))
})

test('an event nobody subscribed to is kept aside, not lost', async () => {
  const database = await createDatabase()
  const prefix = uniqueName()
  const handler = onIdempotent(ThingHappened, async () => undefined)
  const events = await start({ prefix, db: database.db, handlers: [handler] })
  const eventId = await database.db.transaction().execute((tx) => emit(tx, ThingEnded, thing('t')))
  await events.settle()
  const broker = openBroker()
  const message = await broker.basicGet({ queue: names(prefix).unrouted, noAck: true })
  expect(message).toMatchObject({ messageId: eventId, routingKey: 'thing.ended' })
  await broker.close()
})

test('a handler queue deleted on the broker is declared again', async () => {
  const database = await createDatabase()
  const prefix = uniqueName()
  const events = await start({ prefix, db: database.db, handlers: [recordEffect] })
  const broker = openBroker()
  await broker.queueDelete({ queue: names(prefix).queue('things.thing.happened') })
  await eventually(() => broker.queueDeclare({ queue: names(prefix).queue('things.thing.happened'), passive: true }))
  await broker.close()
  // It is bound again once it is consumed again.
  await events.settle()
  await database.db.transaction().execute((tx) => emit(tx, ThingHappened, thing('t')))
  await events.settle()
  expect(await database.effects()).toEqual({ all: 1, events: 1 })
})
