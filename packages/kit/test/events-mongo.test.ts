import type { Db } from 'mongodb'
import { expect, test } from 'vitest'
import type { Envelope } from '../src/events/envelope.ts'
import { onIdempotent } from '../src/events/on.ts'
import { pendEvent, pendingSource } from '../src/events/pending.ts'
import {
  createMongo,
  createProxy,
  eventually,
  rabbitUrl,
  start,
  type Thing,
  ThingHappened,
  thing,
  uniqueName,
} from './events-support.ts'

type ThingDocument = { _id: string; version: number; pendingEvents?: Envelope[]; pendingLeaseUntil?: Date }
const things = (db: Db) => db.collection<ThingDocument>('things')

/** One atomic write: the next version, and the event about it. */
async function change(db: Db, id: string) {
  const { version } = (await things(db).findOne({ _id: id })) ?? { version: 0 }
  const envelope = pendEvent(ThingHappened, thing(id), version + 1)
  const result = await things(db).updateOne(
    { _id: id, ...(version ? { version } : {}) },
    { $set: { version: version + 1 }, $push: { pendingEvents: envelope } },
    { upsert: version === 0 },
  )
  expect(result.modifiedCount + result.upsertedCount).toBe(1)
  return envelope.eventId
}

function recording() {
  const seen: Envelope[] = []
  const handler = onIdempotent<unknown, Thing>(ThingHappened, async (_ctx, { envelope }) => void seen.push(envelope))
  return { seen, handlers: [handler] }
}

test('an event written with its document survives a crash before the relay saw it', async () => {
  const db = await createMongo()
  const eventId = await change(db, 'a')
  const { seen, handlers } = recording()
  const events = await start({ prefix: uniqueName(), mongo: { db, collections: ['things'] }, handlers })
  await events.settle()
  expect(seen).toMatchObject([
    { eventId, aggregate: { type: 'thing', id: 'a', sequence: 1 }, actor: { type: 'system', id: 'things' } },
  ])
  expect(await things(db).findOne({ _id: 'a' })).toEqual({ _id: 'a', version: 1 })
})

test('an event whose relay died while publishing it is published by the next one', async () => {
  const db = await createMongo()
  const eventId = await change(db, 'a')
  // Where a dead relay leaves a document: claimed, with a lease that has run out.
  await things(db).updateOne({ _id: 'a' }, { $set: { pendingLeaseUntil: new Date(Date.now() - 1) } })
  const { seen, handlers } = recording()
  const events = await start({ prefix: uniqueName(), mongo: { db, collections: ['things'] }, handlers })
  await events.settle()
  expect(seen.map((envelope) => envelope.eventId)).toEqual([eventId])
})

test('waking the relay publishes within a fraction of its timer', async () => {
  const db = await createMongo()
  const { seen, handlers } = recording()
  const events = await start({ prefix: uniqueName(), mongo: { db, collections: ['things'] }, handlers })
  const delays: number[] = []
  for (let i = 0; i < 5; i++) {
    await change(db, 'a')
    const before = performance.now()
    events.wake('things', ['a'])
    await eventually(() => expect(seen).toHaveLength(i + 1))
    delays.push(performance.now() - before)
  }
  expect(Math.min(...delays)).toBeLessThan(250)
})

test('events pushed while the relay works are neither lost nor stuck', async () => {
  const db = await createMongo()
  const { seen, handlers } = recording()
  const events = await start({ prefix: uniqueName(), mongo: { db, collections: ['things'] }, handlers })
  const ids: string[] = []
  await Promise.all(
    ['a', 'b', 'c'].map(async (id) => {
      for (let i = 0; i < 30; i++) {
        ids.push(await change(db, id))
        events.wake('things', [id])
      }
    }),
  )
  await events.settle()
  expect(seen.map((envelope) => envelope.eventId).sort()).toEqual(ids.sort())
  expect(await events.pending()).toBe(0)
  expect(await things(db).countDocuments({ pendingEvents: { $exists: true } })).toBe(0)
})

test('two relays of one collection publish each event once as long as nothing crashes', async () => {
  const db = await createMongo()
  const { seen, handlers } = recording()
  const prefix = uniqueName()
  const first = await start({ prefix, mongo: { db, collections: ['things'] }, handlers })
  const second = await start({ prefix, mongo: { db, collections: ['things'] }, handlers })
  const ids: string[] = []
  for (let i = 0; i < 60; i++) {
    ids.push(await change(db, `t-${i}`))
    first.wake('things', [`t-${i}`])
    second.wake('things', [`t-${i}`])
  }
  await eventually(() => expect(new Set(seen.map((envelope) => envelope.eventId)).size).toBe(60))
  expect(seen.map((envelope) => envelope.eventId).sort()).toEqual(ids.sort())
})

test('a document stays as it is while the broker is down, and its events leave afterwards', async () => {
  const db = await createMongo()
  const proxy = await createProxy(rabbitUrl)
  const { seen, handlers } = recording()
  const events = await start({ prefix: uniqueName(), url: proxy.url, mongo: { db, collections: ['things'] }, handlers })
  proxy.refuse(true)
  await eventually(() => expect(events.ready).toBe(false))
  const eventId = await change(db, 'a')
  await events.relayNow()
  expect(await events.pending()).toBe(1)
  proxy.refuse(false)
  await eventually(() => expect(seen.map((envelope) => envelope.eventId)).toEqual([eventId]))
})

test('a relay that is told where events are does not search; what nobody told it of waits for the next search', async () => {
  const db = await createMongo()
  const { seen, handlers } = recording()
  const events = await start({ prefix: uniqueName(), mongo: { db, collections: ['things'] }, handlers })
  const told = await Promise.all(Array.from({ length: 120 }, (_, i) => change(db, `told-${i}`)))
  const untold = await change(db, 'untold')
  events.wake(
    'things',
    told.map((_, i) => `told-${i}`),
  )
  await eventually(() => expect(seen).toHaveLength(120))
  expect(seen.map((envelope) => envelope.eventId)).not.toContain(untold)
  await events.settle()
  expect(seen.map((envelope) => envelope.eventId).sort()).toEqual([...told, untold].sort())
})

test('an event that another process adds to a document while its events are published follows at once', async () => {
  const db = await createMongo()
  const source = pendingSource(
    db.collection('things'),
    'things',
    (event) => event,
    async () => {},
  )
  const first = await change(db, 'a')
  source.tell(['a'])
  const published: string[] = []
  let added = ''
  const publish = async (events: readonly Envelope[]) => {
    added ||= await change(db, 'a')
    published.push(...events.map(({ eventId }) => eventId))
    return new Set(published)
  }
  expect(await source.drain(publish, false)).toMatchObject({ more: true })
  expect(published).toEqual([first])
  expect(await source.drain(publish, false)).toMatchObject({ more: false })
  expect(published).toEqual([first, added])
})
