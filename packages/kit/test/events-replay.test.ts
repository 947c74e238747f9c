import { VendorOrderAccepted } from '@haat/proto/order/v1/events'
import { sql } from 'kysely'
import type { Db } from 'mongodb'
import { expect, test } from 'vitest'
import {
  archiveDocuments,
  forgetInEvents,
  PUBLISHED_EVENTS,
  sweepDocuments,
  sweepOutbox,
} from '../src/events/archive.ts'
import { emit } from '../src/events/emit.ts'
import type { Envelope } from '../src/events/envelope.ts'
import { on, onIdempotent } from '../src/events/on.ts'
import { pendEvent } from '../src/events/pending.ts'
import { createEventSealer } from '../src/events/sealed.ts'
import { newId } from '../src/id.ts'
import {
  countingMetrics,
  createDatabase,
  createMongo,
  start,
  type Thing,
  ThingHappened,
  thing,
  uniqueName,
} from './events-support.ts'

type Database = Awaited<ReturnType<typeof createDatabase>>
type Change = { _id: string; pendingEvents: Envelope[] }

const recordEffect = on<unknown, Thing>(ThingHappened, async (_ctx, event, tx) => {
  await tx.insertInto('effects').values({ event_id: event.envelope.eventId, thing_id: event.data.thingId }).execute()
})
const emitOne = ({ db }: Database, thingId: string) =>
  db.transaction().execute((tx) => emit(tx, ThingHappened, thing(thingId)))
const before = new Date(Date.now() - 60_000)

test('an event that was lost after the broker had it reaches its handler when it is published again, and others no second time', async () => {
  const [publisher, first, second] = [await createDatabase(), await createDatabase(), await createDatabase()]
  const prefix = uniqueName()
  const publishing = { prefix, service: 'publisher', db: publisher.db }
  const consuming = (service: string, { db }: Database) => ({ prefix, service, db, handlers: [recordEffect] })
  const has = await start(consuming('has', first))
  const relay = await start(publishing)
  await emitOne(publisher, 't-1')
  await relay.settle()
  await has.settle()
  expect(await first.effects()).toEqual({ all: 1, events: 1 })

  // Its queue did not exist, as after the loss of a broker: nobody has the event any more but the one who published it.
  const misses = await start(consuming('misses', second))
  await relay.close()
  const metrics = countingMetrics()
  const again = await start({ ...publishing, metrics, replaySince: before })
  await again.settle()
  await misses.settle()
  await has.settle()
  expect(metrics.publishedCount).toBe(1)
  expect(await second.effects()).toEqual({ all: 1, events: 1 })
  expect(await first.effects()).toEqual({ all: 1, events: 1 })
})

test('what was published before the given moment stays where it is', async () => {
  const database = await createDatabase()
  const options = { prefix: uniqueName(), db: database.db }
  const relay = await start(options)
  await emitOne(database, 't-1')
  await relay.settle()
  await relay.close()
  const metrics = countingMetrics()
  const again = await start({ ...options, metrics, replaySince: new Date(Date.now() + 60_000) })
  await again.settle()
  expect(metrics.publishedCount).toBe(0)
})

test('events of documents are kept as well, and published again under their own ids', async () => {
  const db = await createMongo()
  const envelope = pendEvent(ThingHappened, thing('a'), 1)
  await db.collection<Change>('things').insertOne({ _id: 'a', pendingEvents: [envelope] })
  const seen: string[] = []
  const handlers = [
    onIdempotent<unknown, Thing>(ThingHappened, async (_, event) => void seen.push(event.envelope.eventId)),
  ]
  const options = { prefix: uniqueName(), mongo: { db, collections: ['things'] }, handlers }
  const events = await start(options)
  await events.settle()
  await events.close()
  expect(await db.collection('things').findOne()).toEqual({ _id: 'a' })
  const again = await start({ ...options, replaySince: before })
  await again.settle()
  expect(seen).toEqual([envelope.eventId, envelope.eventId])
  expect(await db.collection(PUBLISHED_EVENTS).find().toArray()).toMatchObject(
    [envelope, envelope].map(({ eventId }) => ({ envelopes: [{ eventId }] })),
  )
})

test('published events are kept for three days', async () => {
  const database = await createDatabase()
  const relay = await start({ prefix: uniqueName(), db: database.db })
  await emitOne(database, 'old')
  await emitOne(database, 'new')
  await relay.settle()
  const age = (interval: string) =>
    sql`update outbox_published set published_at = now() - ${interval}::interval where envelope -> 'data' ->> 'thingId' = 'old'`.execute(
      database.db,
    )
  await age('71 hours')
  expect(await sweepOutbox(database.db)).toBe(0)
  await age('73 hours')
  expect(await sweepOutbox(database.db)).toBe(1)
  expect((await sql`select 1 from outbox_published`.execute(database.db)).rows).toHaveLength(1)

  const db: Db = await createMongo()
  for (const id of ['old', 'new']) await archiveDocuments(db, [pendEvent(ThingHappened, thing(id), 1)])
  const published = db.collection(PUBLISHED_EVENTS)
  await published.updateOne(
    { 'envelopes.data.thingId': 'old' },
    { $set: { publishedAt: new Date(Date.now() - 73 * 3_600_000) } },
  )
  await sweepDocuments(db)
  expect(await published.find().toArray()).toMatchObject([{ envelopes: [{ data: { thingId: 'new' } }] }])
})

test('when somebody is forgotten, events about them lose what is personal, waiting or kept; those of others do not', async () => {
  const database = await createDatabase()
  const secrets = ['of-this-test']
  const sealer = createEventSealer(secrets)
  const relay = await start({ prefix: uniqueName(), db: database.db, secrets })
  const [gone, stays] = [newId(), newId()]
  const shipTo = {
    name: 'Rahima',
    line1: '12 Green Road',
    line2: '',
    city: '',
    state: '',
    postalCode: '',
    country: 'BD',
  }
  const accept = (userId: string, orderNo: string) =>
    database.db.transaction().execute((tx) =>
      emit(
        tx,
        VendorOrderAccepted,
        VendorOrderAccepted.fromPartial({
          vendorOrderId: newId(),
          orderNo,
          userId,
          email: 'rahima@example.com',
          shipTo,
        }),
      ),
    )
  await accept(gone, 'kept')
  await accept(stays, "another's")
  await relay.settle()
  await relay.close()
  await accept(gone, 'waiting')

  await database.db.transaction().execute((tx) => forgetInEvents(tx, gone))
  const { rows } = await sql<{ envelope: Envelope }>`
    select envelope from outbox union all select envelope from outbox_published
  `.execute(database.db)
  const of = (orderNo: string) =>
    rows.find(({ envelope }) => (envelope.data as VendorOrderAccepted).orderNo === orderNo)!.envelope
  expect(sealer.open(of("another's"))).toMatchObject({
    data: { email: 'rahima@example.com', shipTo: { line1: '12 Green Road' } },
  })
  for (const orderNo of ['kept', 'waiting']) {
    expect(of(orderNo)).toMatchObject({ data: { orderNo, userId: gone } })
    expect(of(orderNo)).not.toHaveProperty('sealed')
    expect(JSON.stringify(of(orderNo))).not.toMatch(/rahima|Green Road/i)
  }
})
