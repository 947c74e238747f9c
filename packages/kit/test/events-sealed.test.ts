import { UserCreated } from '@haat/proto/auth/v1/events'
import { expect, onTestFinished, test } from 'vitest'
import { PUBLISHED_EVENTS } from '../src/events/archive.ts'
import { openDeadLetters } from '../src/events/dead-letters.ts'
import { emit } from '../src/events/emit.ts'
import type { Envelope } from '../src/events/envelope.ts'
import { on, onIdempotent } from '../src/events/on.ts'
import { pendEvent } from '../src/events/pending.ts'
import { newId } from '../src/id.ts'
import { createDatabase, createMongo, log, rabbitUrl, start, uniqueName } from './events-support.ts'

const QUEUE = 'things.user.created'
const person = () => ({ ...UserCreated.fromPartial({ userId: newId() }), email: 'rahima@example.com', name: 'Rahima' })
const isPersonal = /rahima/i

const openLetters = (prefix: string) => {
  const letters = openDeadLetters({ url: rabbitUrl, log, prefix })
  onTestFinished(() => letters.close())
  return letters
}

test('what a contract marks as sensitive is whole for the handler, and readable in no dead letter and no archive', async () => {
  const [database, db] = [await createDatabase(), await createMongo()]
  const prefix = uniqueName()
  const seen: string[] = []
  let broken = true
  const handler = on<unknown, UserCreated>(UserCreated, async (_, { data }) => {
    if (broken) throw new Error('broken')
    seen.push(data.email)
  })
  const mongo = { db, collections: ['people'] }
  const events = await start({ prefix, db: database.db, mongo, handlers: [handler] })
  const [one, other] = [person(), person()]
  await database.db.transaction().execute((tx) => emit(tx, UserCreated, one))
  await db
    .collection<{ _id: string; pendingEvents: Envelope[] }>('people')
    .insertOne({ _id: other.userId, pendingEvents: [pendEvent(UserCreated, other, 1)] })
  events.wake('people', [other.userId])
  await events.settle()

  const letters = openLetters(prefix)
  const dead = await letters.list(QUEUE)
  const kept = [
    ...(await database.db
      .withTables<{ outbox_published: { envelope: Envelope } }>()
      .selectFrom('outbox_published')
      .select('envelope')
      .execute()),
    ...(await db.collection(PUBLISHED_EVENTS).find().toArray()),
  ]
  for (const places of [dead, kept]) {
    expect(places).toHaveLength(2)
    const text = JSON.stringify(places)
    expect(text).not.toMatch(isPersonal)
    for (const { userId } of [one, other]) expect(text).toContain(userId)
  }
  expect(seen).toEqual([])
  broken = false
  expect(await letters.requeueAll(QUEUE)).toBe(2)
  await events.settle()
  expect(seen).toEqual([one.email, other.email])
})

test('events sealed with the secret that was before are understood; those of a secret nobody knows wait as dead letters', async () => {
  const [publishing, first, second] = [await createDatabase(), await createDatabase(), await createDatabase()]
  const prefix = uniqueName()
  const record = on<unknown, UserCreated>(UserCreated, async (_, { data, envelope }, tx) => {
    await tx.insertInto('effects').values({ event_id: envelope.eventId, thing_id: data.email }).execute()
  })
  const consuming = { prefix, handlers: [record] }
  const informed = await start({ ...consuming, service: 'informed', db: first.db, secrets: ['new', 'old'] })
  const ahead = await start({ ...consuming, service: 'ahead', db: second.db, secrets: ['new'] })
  const behind = await start({ prefix, service: 'behind', db: publishing.db, secrets: ['old'] })
  await publishing.db.transaction().execute((tx) => emit(tx, UserCreated, person()))
  await behind.settle()
  await informed.settle()
  await ahead.settle()
  expect(await first.db.selectFrom('effects').select('thing_id').execute()).toEqual([
    { thing_id: 'rahima@example.com' },
  ])
  expect(await second.effects()).toEqual({ all: 0, events: 0 })
  expect(await openLetters(prefix).list('ahead.user.created')).toMatchObject([
    { attempts: 1, errorClass: 'EventSealedByOthers' },
  ])
})

test('a kept event that is published again is as whole for its handler as the first time', async () => {
  const [database, prefix, seen] = [await createDatabase(), uniqueName(), [] as string[]]
  const handlers = [onIdempotent<unknown, UserCreated>(UserCreated, async (_, { data }) => void seen.push(data.name))]
  const options = { prefix, db: database.db, handlers }
  const events = await start(options)
  await database.db.transaction().execute((tx) => emit(tx, UserCreated, person()))
  await events.settle()
  await events.close()
  const again = await start({ ...options, replaySince: new Date(Date.now() - 60_000) })
  await again.settle()
  expect(seen).toEqual(['Rahima', 'Rahima'])
})
