import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { inCall, systemCall } from '../src/call.ts'
import { type IdempotencyKeys, once } from '../src/idempotency.ts'
import { createLog } from '../src/log.ts'
import { openPostgres, type Postgres, withDatabase } from '../src/postgres.ts'

const log = createLog('test', 'silent')
const adminUrl = process.env.POSTGRES_URL!
const database = `kit_idempotency_${process.pid}`
let postgres: Postgres<{ idempotency_keys: IdempotencyKeys }>

beforeAll(async () => {
  const admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  await admin.query(`create database ${database}`)
  await admin.end()
  const url = withDatabase(adminUrl, database)
  postgres = openPostgres({ url, name: 'test', log })
  await postgres.pool.query(await readFile(new URL('../sql/idempotency.sql', import.meta.url), 'utf8'))
})
afterAll(async () => {
  await postgres.close()
  const admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  await admin.query(`drop database ${database} with (force)`)
  await admin.end()
})

const text = {
  encode: (answer: string) => ({ finish: () => Buffer.from(answer) }),
  decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
}
let key = ''
beforeEach(() => {
  key = randomUUID()
})
const ask = (work: (resourceId: string) => Promise<string>, body = 'body', timeoutMs = 2_000) =>
  inCall(systemCall(log, { timeoutMs }), () =>
    once(postgres.db, { scope: 'test', key, request: Buffer.from(body), response: text }, work),
  )
/** An attempt that does not end until it is told to, as one whose process has died. */
const hang = (timeoutMs = 2_000) => {
  const end = Promise.withResolvers<string>()
  const began = Promise.withResolvers<string>()
  const answer = ask(
    async (resourceId) => {
      began.resolve(resourceId)
      return end.promise
    },
    'body',
    timeoutMs,
  )
  return { began: began.promise, end, answer }
}

test('a repeat answers what the first one did and does nothing', async () => {
  expect(await ask(async () => 'first')).toBe('first')
  expect(await ask(async () => 'second')).toBe('first')
  await expect(ask(async () => 'third', 'another body')).rejects.toMatchObject({ code: 'idempotency_key_reused' })
})

test('a refused request leaves its key free', async () => {
  await expect(ask(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await ask(async () => 'yes', 'corrected')).toBe('yes')
})

test('while the first one may still answer its caller, a repeat is told so', async () => {
  const first = hang(60_000)
  await first.began
  await expect(ask(async () => 'second')).rejects.toMatchObject({ code: 'idempotency_key_in_flight' })
  first.end.resolve('first')
  expect(await first.answer).toBe('first')
})

test('an attempt that was cut off is taken over, under its id, once its caller has long stopped waiting', async () => {
  const first = hang(1)
  const id = await first.began
  await expect(ask(async () => 'too early')).rejects.toMatchObject({ code: 'idempotency_key_in_flight' })
  await expect.poll(() => ask(async (resourceId) => resourceId).catch(() => ''), { timeout: 10_000 }).toBe(id)
  first.end.resolve('late')
  await first.answer
})

test('an attempt that fails after it was taken over does not free the key of the one that took it', async () => {
  const first = hang(1)
  await first.began
  await postgres.pool.query(`update idempotency_keys set locked_until = now() where key = $1`, [key])
  const second = hang()
  await second.began
  first.end.reject(new Error('too late'))
  await expect(first.answer).rejects.toThrow('too late')
  await expect(ask(async () => 'third')).rejects.toMatchObject({ code: 'idempotency_key_in_flight' })
  second.end.resolve('second')
  expect(await second.answer).toBe('second')
})
