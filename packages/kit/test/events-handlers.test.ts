import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { currentCall } from '../src/call.ts'
import { AppError, unavailable } from '../src/errors.ts'
import { openDeadLetters } from '../src/events/dead-letters.ts'
import { emit } from '../src/events/emit.ts'
import { createEnvelope, type Envelope } from '../src/events/envelope.ts'
import type { Events } from '../src/events/events.ts'
import { on, onIdempotent } from '../src/events/on.ts'
import { names } from '../src/events/topology.ts'
import { newId } from '../src/id.ts'
import {
  countingMetrics,
  createDatabase,
  eventually,
  log,
  openBroker,
  rabbitUrl,
  start,
  type Thing,
  ThingEnded,
  ThingHappened,
  ThingHappenedV2,
  thing,
  uniqueName,
} from './events-support.ts'

const QUEUE = 'things.thing.happened'
const envelopeOf = (thingId: string): Envelope => createEnvelope(ThingHappened, thing(thingId), { sequence: 1 })

/** Publishes as a neighbour would; a body that is no envelope goes out as it is. */
async function publish(prefix: string, ...bodies: unknown[]) {
  const broker = openBroker()
  const publisher = broker.createPublisher({ confirm: true })
  for (const body of bodies) {
    const messageId = (body as Partial<Envelope>)?.eventId ?? newId()
    const routingKey = (body as Partial<Envelope>)?.type ?? 'thing.happened'
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
    const exchange = names(prefix).events
    await publisher.send({ exchange, routingKey, messageId, durable: true, contentType: 'application/json' }, bytes)
  }
  await publisher.close()
  await broker.close()
}

async function deadLetters(prefix: string) {
  const letters = openDeadLetters({ url: rabbitUrl, log, prefix })
  const list = await letters.list(QUEUE).finally(() => letters.close())
  return list
}

test('ten deliveries of one event, at once or later, have one effect', async () => {
  const database = await createDatabase()
  const prefix = uniqueName()
  const metrics = countingMetrics()
  const handler = on<unknown, Thing>(ThingHappened, async (_ctx, { envelope, data }, tx) => {
    await tx.insertInto('effects').values({ event_id: envelope.eventId, thing_id: data.thingId }).execute()
  })
  const events = await start({ prefix, db: database.db, handlers: [handler], metrics })
  const envelope = envelopeOf('t')
  await publish(prefix, ...Array(5).fill(envelope))
  await events.settle()
  await publish(prefix, ...Array(5).fill(envelope))
  await events.settle()
  expect(await database.effects()).toEqual({ all: 1, events: 1 })
  expect(metrics).toMatchObject({ ok: 1, duplicate: 9 })
})

test('an event that does not concern its handler is done with, without a record', async () => {
  const database = await createDatabase()
  const prefix = uniqueName()
  const metrics = countingMetrics()
  const seen: string[] = []
  const handler = on<unknown, Thing>(ThingHappened, async (_ctx, { data }) => void seen.push(data.thingId), {
    concerns: (_ctx, { data }) => data.thingId === 'mine',
  })
  const events = await start({ prefix, db: database.db, handlers: [handler], metrics })
  await publish(prefix, envelopeOf('mine'), envelopeOf('foreign'))
  await events.settle()
  expect(seen).toEqual(['mine'])
  expect(metrics).toMatchObject({ ok: 2 })
  expect((await sql`select 1 from inbox`.execute(database.db)).rows).toHaveLength(1)
})

test('two handlers of one event each take effect', async () => {
  const database = await createDatabase()
  const prefix = uniqueName()
  const seen: string[] = []
  const events = await start({
    prefix,
    db: database.db,
    handlers: [
      on(ThingHappened, async () => void seen.push('a')),
      on(ThingHappened, async () => void seen.push('b'), { name: 'second' }),
    ],
  })
  await publish(prefix, envelopeOf('t'))
  await events.settle()
  expect(seen.sort()).toEqual(['a', 'b'])
})

test('handlers that share a name share one queue', async () => {
  const prefix = uniqueName()
  const seen: string[] = []
  const events = await start({
    prefix,
    handlers: [
      onIdempotent(ThingHappened, async () => void seen.push('happened'), { name: 'projection' }),
      onIdempotent(ThingEnded, async () => void seen.push('ended'), { name: 'projection' }),
    ],
  })
  expect(events.queues).toEqual(['things.projection'])
  await publish(prefix, envelopeOf('t'), createEnvelope(ThingEnded, thing('t'), { sequence: 2 }))
  await events.settle()
  expect(seen.sort()).toEqual(['ended', 'happened'])
})

test('two handlers for one event in one queue are refused at start', async () => {
  const handler = onIdempotent(ThingHappened, async () => undefined)
  await expect(start({ prefix: uniqueName(), handlers: [handler, handler] })).rejects.toThrow('two handlers')
})

test('a transactional handler without PostgreSQL is refused at start', async () => {
  const handler = on(ThingHappened, async () => undefined)
  await expect(start({ prefix: uniqueName(), handlers: [handler] })).rejects.toThrow('needs PostgreSQL')
})

test('a failed attempt leaves no write behind, neither its own nor what it emitted', async () => {
  const database = await createDatabase()
  const prefix = uniqueName()
  let attempts = 0
  const ended: string[] = []
  const events = await start({
    prefix,
    db: database.db,
    retrySeconds: [1],
    handlers: [
      on<unknown, Thing>(ThingHappened, async (_ctx, { envelope, data }, tx) => {
        await tx.insertInto('effects').values({ event_id: envelope.eventId, thing_id: data.thingId }).execute()
        await emit(tx, ThingEnded, { ...data, note: `attempt ${++attempts}` })
        if (attempts === 1) throw unavailable('stock_unavailable', 'inventory does not answer')
      }),
      onIdempotent<unknown, Thing>(ThingEnded, async (_ctx, { data }) => void ended.push(data.note)),
    ],
  })
  await publish(prefix, envelopeOf('t'))
  await events.settle()
  expect(await database.effects()).toEqual({ all: 1, events: 1 })
  expect(ended).toEqual(['attempt 2'])
})

test('a poison message is tried exactly N times, becomes a dead letter and blocks nobody', async () => {
  const prefix = uniqueName()
  const metrics = countingMetrics()
  const seen: string[] = []
  const attemptsAt: number[] = []
  const events = await start({
    prefix,
    retrySeconds: [1, 1],
    metrics,
    handlers: [
      onIdempotent<unknown, Thing>(
        ThingHappened,
        async (_ctx, { data }) => {
          if (data.thingId !== 'poison') return void seen.push(data.thingId)
          attemptsAt.push(performance.now())
          throw new AppError('FAILED_PRECONDITION', 'thing_broken', 'the thing is broken')
        },
        { concurrency: 1 },
      ),
    ],
  })
  const poison = envelopeOf('poison')
  await publish(prefix, poison, envelopeOf('a'), envelopeOf('b'))
  await eventually(() => expect(seen).toEqual(['a', 'b']))
  expect(attemptsAt).toHaveLength(1)
  await events.settle()
  expect(metrics).toMatchObject({ ok: 2, retry: 2, dead: 1 })
  expect(attemptsAt).toHaveLength(3)
  expect(attemptsAt[2]! - attemptsAt[0]!).toBeGreaterThan(1_900)
  const letters = await deadLetters(prefix)
  expect(letters).toEqual([
    {
      eventId: poison.eventId,
      type: 'thing.happened',
      attempts: 3,
      errorClass: 'AppError',
      errorMessage: 'thing_broken: the thing is broken',
      firstFailedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      requestId: poison.trace.requestId,
      body: poison,
    },
  ])
})

test('an outage makes no dead letter, however long it takes: the event waits until the store or the neighbour is back', async () => {
  const prefix = uniqueName()
  const metrics = countingMetrics()
  const outages = [
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }),
    new AppError('UNAVAILABLE', 'service_unavailable', 'no connection'),
  ]
  let left = 4
  const events = await start({
    prefix,
    retrySeconds: [1],
    metrics,
    handlers: [
      onIdempotent<unknown, Thing>(ThingHappened, async () => {
        if (left-- > 0) throw outages[left % 2]
      }),
    ],
  })
  await publish(prefix, envelopeOf('a'))
  await eventually(() => expect(metrics).toMatchObject({ ok: 1, retry: 4, dead: 0 }))
  await events.settle()
  expect(await deadLetters(prefix)).toEqual([])
})

test('a dead letter carries no message of an unknown error, which might name a person', async () => {
  const prefix = uniqueName()
  const handler = onIdempotent(ThingHappened, async () => {
    throw new RangeError('jane@example.com is out of range')
  })
  const events = await start({ prefix, handlers: [handler] })
  await publish(prefix, envelopeOf('t'))
  await events.settle()
  expect((await deadLetters(prefix))[0]).toMatchObject({
    errorClass: 'RangeError',
    errorMessage: 'RangeError',
    attempts: 1,
  })
})

test('what nobody can read becomes a dead letter at once, without a handler run', async () => {
  const prefix = uniqueName()
  let runs = 0
  const events = await start({
    prefix,
    retrySeconds: [1, 1],
    handlers: [onIdempotent(ThingHappened, async () => void runs++)],
  })
  const badData = { ...envelopeOf('t'), data: { thingId: 't', count: 'many' } }
  const otherVersion = createEnvelope(ThingHappenedV2, thing('t'), { sequence: 1 })
  await publish(prefix, Buffer.from('{not json'), { hello: 'world' }, null, badData, otherVersion)
  await events.settle()
  expect(runs).toBe(0)
  const letters = await deadLetters(prefix)
  expect(letters.map((letter) => letter.errorClass).sort()).toEqual([
    'EnvelopeInvalid',
    'EnvelopeInvalid',
    'EnvelopeInvalid',
    'EventDataInvalid',
    'EventVersionUnknown',
  ])
  expect(letters.every((letter) => letter.attempts === 1 && letter.eventId)).toBe(true)
})

test('a handler that takes too long fails, its signal aborts and its transaction is rolled back', async () => {
  const database = await createDatabase()
  const prefix = uniqueName()
  const aborted: boolean[] = []
  const handler = on<unknown, Thing>(
    ThingHappened,
    async (_ctx, { envelope, data }, tx) => {
      await tx.insertInto('effects').values({ event_id: envelope.eventId, thing_id: data.thingId }).execute()
      const { signal } = currentCall()!
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted.push(signal.aborted)
      await new Promise(() => undefined)
    },
    { timeoutSeconds: 0.2 },
  )
  const events = await start({ prefix, db: database.db, handlers: [handler] })
  await publish(prefix, envelopeOf('t'))
  await events.settle()
  expect(aborted).toEqual([true])
  expect(await database.effects()).toEqual({ all: 0, events: 0 })
  expect((await deadLetters(prefix))[0]!.errorMessage).toContain('event_timeout')
})

test('no more handlers run at once than the concurrency says', async () => {
  const prefix = uniqueName()
  let running = 0
  let most = 0
  const handler = onIdempotent(
    ThingHappened,
    async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    },
    { concurrency: 3 },
  )
  const events = await start({ prefix, handlers: [handler] })
  await publish(prefix, ...Array.from({ length: 60 }, (_, i) => envelopeOf(`t-${i}`)))
  await events.settle()
  expect(most).toBeLessThanOrEqual(3)
})

test('stopping waits for the running handler and takes no more; the next instance gets the rest', async () => {
  const prefix = uniqueName()
  const seen: string[] = []
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const slow = onIdempotent<unknown, Thing>(
    ThingHappened,
    async (_ctx, { data }) => {
      entered.resolve()
      await release.promise
      seen.push(`first ${data.thingId}`)
    },
    { concurrency: 1 },
  )
  const first: Events = await start({ prefix, handlers: [slow] })
  await publish(prefix, envelopeOf('a'), envelopeOf('b'))
  await entered.promise
  const stopping = first.stopConsuming()
  release.resolve()
  await stopping
  expect(seen).toEqual(['first a'])
  const quick = onIdempotent<unknown, Thing>(
    ThingHappened,
    async (_ctx, { data }) => void seen.push(`second ${data.thingId}`),
  )
  const second = await start({ prefix, handlers: [quick] })
  await second.settle()
  expect(seen).toEqual(['first a', 'second b'])
})
