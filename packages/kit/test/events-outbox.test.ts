import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { anonymous } from '../src/auth.ts'
import { currentCall, inCall, systemCall } from '../src/call.ts'
import { emit, emitAll, eventNow, onEmitted } from '../src/events/emit.ts'
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

const emitOne = ({ db }: Pick<Database, 'db'>, thingId: string) =>
  db.transaction().execute((tx) => emit(tx, ThingHappened, thing(thingId)))

test('a committed event reaches its handler with data, actor and trace', async () => {
  const database = await createDatabase()
  const received: { envelope: Envelope; count: bigint; causationId: string | undefined; correlationId: string }[] = []
  const handler = onIdempotent(ThingHappened, async (_ctx, { data, envelope }) => {
    const call = currentCall()!
    received.push({ envelope, count: data.count, causationId: call.causationId, correlationId: call.correlationId })
  })
  const events = await start({ prefix: uniqueName(), db: database.db, handlers: [handler] })
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
  const events = await start({ prefix: uniqueName(), db: database.db, handlers: [handler] })
  await emitOne(database, 't-1')
  await events.settle()
  expect(actors).toEqual([{ type: 'system', id: 'things' }])
})

test('a rolled back transaction publishes nothing', async () => {
  const database = await createDatabase()
  const ids: string[] = []
  const handler = onIdempotent(ThingHappened, async (_ctx, { data }) => void ids.push(data.thingId))
  const events = await start({ prefix: uniqueName(), db: database.db, handlers: [handler] })
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
  const events = await start({ prefix: uniqueName(), db: database.db, handlers: [handler] })
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
  const events = await start({ prefix: uniqueName(), db: database.db, handlers: [handler] })
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

test('two relays of one outbox publish each event once as long as nothing crashes and neither searches', async () => {
  const database = await createDatabase()
  const metrics = countingMetrics()
  const shared = { prefix: uniqueName(), handlers: [recordEffect], metrics }
  const instances = [database.db, database.ofAnotherInstance()]
  const first = await start({ ...shared, db: instances[0]! })
  const second = await start({ ...shared, db: instances[1]! })
  await Promise.all([first.relayNow(), second.relayNow()])
  const emitting = Array.from({ length: 8 }, async (_, worker) => {
    for (let i = 0; i < 25; i++) await emitOne({ db: instances[worker % 2]! }, `t-${worker}-${i}`)
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

test('what was committed leaves without a search of the table', async () => {
  const database = await createDatabase()
  const events = await start({ prefix: uniqueName(), db: database.db, handlers: [recordEffect] })
  await events.settle()
  // A search would find this as well.
  const { rows } = await sql<{ before: bigint }>`
    insert into outbox (event_id, type, aggregate_type, aggregate_id, envelope)
      select gen_random_uuid(), 'thing.of-a-crash', 'thing', 't', '{}'::jsonb returning id as before
  `.execute(database.db)
  await emitOne(database, 't')
  await eventually(async () => expect(await database.effects()).toEqual({ all: 1, events: 1 }))
  await eventually(async () => {
    const waiting = await sql<{ id: bigint }>`select id from outbox`.execute(database.db)
    expect(waiting.rows).toEqual([{ id: rows[0]!.before }])
  })
  await sql`delete from outbox`.execute(database.db)
})

test('what another instance committed before it died is published by one that lives', async () => {
  const database = await createDatabase()
  const events = await start({ prefix: uniqueName(), db: database.db, handlers: [recordEffect] })
  await events.settle()
  await emitOne({ db: database.ofAnotherInstance() }, 't')
  expect(await events.pending()).toBe(1)
  await events.relayNow()
  await eventually(async () => expect(await database.effects()).toEqual({ all: 1, events: 1 }))
  expect(await events.pending()).toBe(0)
})

test('an event whose person is forgotten while it is on its way is kept without what is personal', async () => {
  const database = await createDatabase()
  const source = outboxSource(database.db, 'things', (event) => event)
  onEmitted(database.db, source.tell)
  await emitOne(database, 't')
  const all = async (events: readonly Envelope[]) => new Set(events.map(({ eventId }) => eventId))
  // The other transaction commits after the event was sent, and before it is archived.
  await source.drain(async (events) => {
    await sql`update outbox set envelope = jsonb_set(envelope, '{data,note}', '"forgotten"')`.execute(database.db)
    return all(events)
  }, false)
  expect(await source.count()).toBe(1)
  await source.drain(all, true)
  const { rows } = await sql<{ note: string }>`
    select envelope -> 'data' ->> 'note' as note from outbox_published
  `.execute(database.db)
  expect(rows).toEqual([{ note: 'forgotten' }])
})

test('an event that a search found is published once, whether its commit was answered before, meanwhile or afterwards', async () => {
  const database = await createDatabase()
  const source = outboxSource(database.db, 'things', (event) => event)
  const answers: Parameters<typeof source.tell>[0][] = []
  onEmitted(database.db, (emitted) => answers.push(emitted))
  for (const id of ['before', 'meanwhile', 'afterwards']) await emitOne(database, id)
  const [before, meanwhile, afterwards] = answers
  const sent: string[] = []
  const publish = async (events: readonly Envelope[]) => {
    sent.push(...events.map(({ aggregate }) => aggregate.id))
    return new Set(events.map(({ eventId }) => eventId))
  }
  source.tell(before)
  const searching = source.drain(publish, true)
  source.tell(meanwhile)
  await searching
  source.tell(afterwards)
  await source.drain(publish, false)
  expect(sent).toEqual(['before', 'meanwhile', 'afterwards'])
})

test('what the broker did not confirm, or the database did not archive, is found by the next pass', async () => {
  const database = await createDatabase()
  const source = outboxSource(database.db, 'things', (event) => event)
  onEmitted(database.db, source.tell)
  const sent: number[] = []
  const confirm = (count: number) => async (events: readonly Envelope[]) => {
    sent.push(events.length)
    return new Set(events.slice(0, count).map(({ eventId }) => eventId))
  }
  for (const id of ['t-1', 't-2', 't-3']) await emitOne(database, id)
  await source.drain(confirm(1), false)
  expect(await source.count()).toBe(2)
  const failing = source.drain(async () => {
    throw new Error('the database is gone')
  }, false)
  await expect(failing).rejects.toThrow('gone')
  await source.drain(confirm(2), false)
  expect(await source.count()).toBe(0)
  expect(sent).toEqual([3, 2])
})

test('a commit whose answer is lost makes the relay look whether it has happened', async () => {
  const database = await createDatabase()
  const source = outboxSource(database.db, 'things', (event) => event)
  onEmitted(database.db, source.tell)
  const lost = database.db.transaction().execute(async (tx) => {
    await emit(tx, ThingHappened, thing('t'))
    await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx).catch(() => undefined)
  })
  await expect(lost).rejects.toThrow()
  await emitOne({ db: database.ofAnotherInstance() }, 'found')
  const found: Envelope[] = []
  await source.drain(async (events) => {
    found.push(...events)
    return new Set(events.map(({ eventId }) => eventId))
  }, false)
  expect(found.map(({ aggregate }) => aggregate.id)).toEqual(['found'])
})

test('settle waits for what handlers emit in turn and for retries', async () => {
  const database = await createDatabase()
  let failures = 1
  const seen: string[] = []
  const events = await start({
    prefix: uniqueName(),
    db: database.db,
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
