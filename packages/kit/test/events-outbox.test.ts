import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { anonymous } from '../src/auth.ts'
import { currentCall, inCall, systemCall } from '../src/call.ts'
import { emit, emitAll, eventNow } from '../src/events/emit.ts'
import type { Envelope } from '../src/events/envelope.ts'
import { sweepInbox } from '../src/events/inbox.ts'
import { on, onIdempotent } from '../src/events/on.ts'
import { outboxSource } from '../src/events/outbox.ts'
import { openPublisher } from '../src/events/publisher.ts'
import { handlerQueues } from '../src/events/topology.ts'
import {
  countingMetrics,
  createDatabase,
  eventually,
  log,
  rabbitUrl,
  start,
  ThingEnded,
  ThingHappened,
  thing,
  uniqueName,
} from './events-support.ts'

type Database = Awaited<ReturnType<typeof createDatabase>>

const recordEffect = on<unknown, { thingId: string }>(ThingHappened, async (_ctx, event, tx) => {
  await tx.insertInto('effects').values({ event_id: event.envelope.eventId, thing_id: event.data.thingId }).execute()
})

const emitOne = ({ db }: Database, thingId: string) =>
  db.transaction().execute((tx) => emit(tx, ThingHappened, thing(thingId)))

test('a committed event reaches its handler with data, actor and trace', async () => {
  const database = await createDatabase()
  const received: { envelope: Envelope; count: bigint; causationId: string | undefined; correlationId: string }[] = []
  const handler = onIdempotent(ThingHappened, async (_ctx, { data, envelope }) => {
    const call = currentCall()!
    received.push({ envelope, count: data.count, causationId: call.causationId, correlationId: call.correlationId })
  })
  const events = await start({ prefix: uniqueName(), db: database.db, pgUrl: database.url, handlers: [handler] })
  const call = {
    ...systemCall(log, { correlationId: 'c-1' }),
    caller: { ...anonymous, kind: 'user' as const, id: 'u-1' },
  }
  const eventId = await inCall(call, () => emitOne(database, 't-1'))
  await events.settle()
  expect(received).toHaveLength(1)
  const { envelope, count, causationId, correlationId } = received[0]!
  expect(envelope).toMatchObject({
    eventId,
    type: 'thing.happened',
    version: 1,
    actor: { type: 'user', id: 'u-1' },
    aggregate: { type: 'thing', id: 't-1', sequence: 1 },
    data: { thingId: 't-1', count: '1' },
    trace: { requestId: call.requestId, correlationId: 'c-1' },
  })
  expect(count).toBe(1n)
  expect(causationId).toBe(eventId)
  expect(correlationId).toBe('c-1')
})

test('what a service does by itself carries its name as actor', async () => {
  const database = await createDatabase()
  const actors: Envelope['actor'][] = []
  const handler = onIdempotent(ThingHappened, async (_ctx, { envelope }) => void actors.push(envelope.actor))
  const events = await start({ prefix: uniqueName(), db: database.db, pgUrl: database.url, handlers: [handler] })
  await emitOne(database, 't-1')
  await events.settle()
  expect(actors).toEqual([{ type: 'system', id: 'things' }])
})

test('a rolled back transaction publishes nothing', async () => {
  const database = await createDatabase()
  const ids: string[] = []
  const handler = onIdempotent(ThingHappened, async (_ctx, { data }) => void ids.push(data.thingId))
  const events = await start({ prefix: uniqueName(), db: database.db, pgUrl: database.url, handlers: [handler] })
  const failing = database.db.transaction().execute(async (tx) => {
    await emit(tx, ThingHappened, thing('rolled-back'))
    throw new Error('business rule')
  })
  await expect(failing).rejects.toThrow('business rule')
  await emitOne(database, 'committed')
  await events.settle()
  expect(ids).toEqual(['committed'])
})

test('an event without aggregate id, or too large, fails the transaction instead of the relay', async () => {
  const { db } = await createDatabase()
  const emitting = (data: ReturnType<typeof thing>) => db.transaction().execute((tx) => emit(tx, ThingHappened, data))
  await expect(emitting(thing(''))).rejects.toThrow('lacks thingId')
  await expect(emitting(thing('t', 'x'.repeat(1024 * 1024)))).rejects.toThrow('too large')
})

test('sequence grows with each event of an aggregate', async () => {
  const database = await createDatabase()
  const sequences: number[] = []
  const handler = onIdempotent(
    ThingHappened,
    async (_ctx, { envelope }) => void sequences.push(envelope.aggregate.sequence),
  )
  const events = await start({ prefix: uniqueName(), db: database.db, pgUrl: database.url, handlers: [handler] })
  for (let i = 0; i < 5; i++) await emitOne(database, 't-1')
  await events.settle()
  expect(new Set(sequences).size).toBe(5)
})

test('events emitted together are published together, in their order, or not at all', async () => {
  const database = await createDatabase()
  const seen: [bigint, number][] = []
  const handler = onIdempotent(
    ThingHappened,
    async (_ctx, { data, envelope }) => void seen.push([data.count, envelope.aggregate.sequence]),
  )
  const events = await start({ prefix: uniqueName(), db: database.db, pgUrl: database.url, handlers: [handler] })
  const things = [1n, 2n, 3n].map((count) => eventNow(ThingHappened, { ...thing('t'), count }))
  await database.db.transaction().execute((tx) => emitAll(tx, []))
  const failing = database.db.transaction().execute(async (tx) => {
    await emitAll(tx, things)
    throw new Error('business rule')
  })
  await expect(failing).rejects.toThrow('business rule')
  await database.db.transaction().execute((tx) => emitAll(tx, things))
  await events.settle()
  const bySequence = seen.sort(([, a], [, b]) => a - b)
  expect(bySequence.map(([count]) => count)).toEqual([1n, 2n, 3n])
})

test('a crash between publishing and forgetting delivers twice and has one effect', async () => {
  const database = await createDatabase()
  const metrics = countingMetrics()
  const prefix = uniqueName()
  const queues = handlerQueues('things', [recordEffect])
  const publisher = openPublisher({
    url: rabbitUrl,
    service: 'things',
    log,
    prefix,
    retrySeconds: [],
    queues,
    onReady() {},
  })
  onTestFinished(() => publisher.close())
  await publisher.whenReady(5_000)
  await emitOne(database, 't-1')
  await emitOne(database, 't-2')
  const crash = outboxSource(database.db, 'things', (event) => event).drain(async (events) => {
    const confirmed = await publisher.publish(events)
    expect(confirmed.size).toBe(2)
    await database.killBackends(`query like '%skip locked%' and state = 'idle in transaction'`)
    return confirmed
  }, true)
  await expect(crash).rejects.toThrow()
  const events = await start({ prefix, db: database.db, handlers: [recordEffect], metrics })
  await events.settle()
  expect(metrics).toMatchObject({ ok: 2, duplicate: 2 })
  expect(await database.effects()).toEqual({ all: 2, events: 2 })
})

test('two relays of one outbox publish each event once as long as nothing crashes', async () => {
  const database = await createDatabase()
  const metrics = countingMetrics()
  const prefix = uniqueName()
  const shared = { prefix, db: database.db, pgUrl: database.url, handlers: [recordEffect], metrics }
  const first = await start(shared)
  const second = await start(shared)
  const emitting = Array.from({ length: 8 }, async (_, worker) => {
    for (let i = 0; i < 25; i++) await emitOne(database, `t-${worker}-${i}`)
  })
  await Promise.all(emitting)
  await eventually(async () => expect(await database.effects()).toEqual({ all: 200, events: 200 }))
  expect(metrics).toMatchObject({ publishedCount: 200, ok: 200, duplicate: 0 })
  expect(await first.pending()).toBe(0)
  expect(second.moved + first.moved).toBe(400)
})

test('killed Postgres backends lose no event and repeat no effect', async () => {
  const database = await createDatabase()
  const events = await start({
    prefix: uniqueName(),
    db: database.db,
    pgUrl: database.url,
    handlers: [recordEffect],
    retrySeconds: [1, 1, 1, 1],
  })
  const committed = new Set<string>()
  let killing = true
  let killed = 0
  const killer = (async () => {
    while (killing) killed += await database.killBackends(`random() < 0.3`)
  })()
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 50; i++)
        await emitOne(database, 't').then(
          (id) => committed.add(id),
          () => undefined,
        )
    }),
  )
  killing = false
  await killer
  expect(killed).toBeGreaterThan(5)
  expect(committed.size).toBeGreaterThan(0)
  await eventually(async () => expect(await events.pending()).toBe(0))
  await events.settle()
  const handled = new Set(
    (await database.db.selectFrom('effects').select('event_id').execute()).map((row) => row.event_id),
  )
  // A commit whose answer was lost counts as failed here, yet may have an effect; none may have two.
  expect([...committed].filter((id) => !handled.has(id))).toEqual([])
  expect(await database.effects()).toEqual({ all: handled.size, events: handled.size })
})

test('a lost listening session comes back and wakes the relay at once', async () => {
  const database = await createDatabase()
  const handledAt: number[] = []
  const handler = onIdempotent(ThingHappened, async () => void handledAt.push(performance.now()))
  await start({ prefix: uniqueName(), db: database.db, pgUrl: database.url, handlers: [handler] })
  expect(await database.killBackends(`query like 'listen %'`)).toBe(1)
  await eventually(async () => {
    const { rows } = await sql<{ n: bigint }>`
      select count(*) as n from pg_stat_activity where datname = current_database() and query like 'listen %'
    `.execute(database.db)
    expect(rows[0]!.n).toBe(1n)
  })
  const delays: number[] = []
  for (let i = 0; i < 5; i++) {
    const before = performance.now()
    await emitOne(database, 't')
    await eventually(() => expect(handledAt).toHaveLength(i + 1))
    delays.push(handledAt[i]! - before)
  }
  // The timer alone would average half a second.
  expect(Math.min(...delays)).toBeLessThan(250)
})

test('settle waits for what handlers emit in turn and for retries', async () => {
  const database = await createDatabase()
  let failures = 1
  const seen: string[] = []
  const events = await start({
    prefix: uniqueName(),
    db: database.db,
    pgUrl: database.url,
    retrySeconds: [1],
    handlers: [
      on(ThingHappened, async (_ctx, { data }, tx) => {
        seen.push('happened')
        await emit(tx, ThingEnded, data)
      }),
      onIdempotent(ThingEnded, async () => {
        if (failures-- > 0) throw new Error('not yet')
        seen.push('ended')
      }),
    ],
  })
  await emitOne(database, 't')
  await events.settle()
  expect(seen).toEqual(['happened', 'ended'])
})

test('the inbox forgets what was handled more than 14 days ago and nothing else', async () => {
  const { db } = await createDatabase()
  await sql`insert into inbox (consumer, event_id, handled_at) values
    ('q', gen_random_uuid(), now() - interval '15 days'), ('q', gen_random_uuid(), now() - interval '13 days')`.execute(
    db,
  )
  expect(await sweepInbox(db)).toBe(1)
  expect(await sweepInbox(db)).toBe(0)
})
