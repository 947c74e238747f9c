import * as argon2 from '@node-rs/argon2'
import { expect, test, vi } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { seedServiceAccounts } from '../src/db/seed.ts'
import { parseSecrets } from '../src/domain/secrets.ts'
import { createPasswords } from '../src/passwords.ts'
import { createSigningKeys } from '../src/signing-keys.ts'
import { startHarness } from './harness.ts'

vi.mock('@node-rs/argon2', async (original) => {
  const real = await original<typeof argon2>()
  return { ...real, verify: vi.fn(real.verify) }
})

const h = await startHarness()
const required = {
  POSTGRES_URL: 'postgres://x',
  RABBITMQ_URL: 'amqp://x',
  EVENT_SECRET: 'x'.repeat(32),
  KEY_ENCRYPTION_SECRET: 'x',
}

test('a faulty configuration names every variable at fault', () => {
  const load = () =>
    loadConfig({
      ...required,
      KEY_ENCRYPTION_SECRET: '',
      PASSWORD_POLICY: 'strong',
      SERVICE_CREDENTIALS_JSON: '{"order":1}',
      BOOTSTRAP_ADMIN_EMAIL: 'root',
    })
  for (const name of ['KEY_ENCRYPTION_SECRET', 'PASSWORD_POLICY', 'SERVICE_CREDENTIALS_JSON', 'BOOTSTRAP_ADMIN_EMAIL'])
    expect(load).toThrow(name)
  expect(loadConfig({ ...required, SERVICE_CREDENTIALS_JSON: '{"order":"a","cart":["b","c"]}' })).toMatchObject({
    ARGON2_MEMORY_KIB: 47_104,
    SERVICE_CREDENTIALS_JSON: { order: 'a', cart: ['b', 'c'] },
  })
})

test('signing keys move to a new sealing secret, and do not open without one that sealed them', async () => {
  const keysWith = (list: string) =>
    createSigningKeys({ db: h.db, secrets: parseSecrets(list), rotationDays: 30, now: h.now })
  const before = await h.anyone.getJwks({})
  const both = keysWith('sealing-secret-2, sealing-secret-1')
  await both.rotate()
  expect((await both.published()).keys.map((key) => key.kid)).toEqual(before.keys.map((key) => key.kid))
  const moved = keysWith('sealing-secret-2')
  expect((await moved.current()).kid).toBe((await both.current()).kid)
  await expect(keysWith('sealing-secret-1').current()).rejects.toThrow('KEY_ENCRYPTION_SECRET')
})

test('a sealed key that is moved to another row does not open', async () => {
  const rows = await h.db.selectFrom('signing_keys').selectAll().orderBy('signs_from').execute()
  const [first, second] = rows
  const put = (private_sealed: Buffer) =>
    h.db.updateTable('signing_keys').set({ private_sealed }).where('kid', '=', first!.kid).execute()
  await put(second!.private_sealed)
  const keys = createSigningKeys({ db: h.db, secrets: parseSecrets('sealing-secret-2'), rotationDays: 30, now: h.now })
  await expect(keys.current()).rejects.toThrow()
  await put(first!.private_sealed)
  await keys.current()
})

test('passwords bear a change of pepper and of parameters, and say that they are stale', async () => {
  const make = (peppers: string, memoryKib = 64) =>
    createPasswords({ memoryKib, passes: 1, lanes: 1, concurrency: 2, peppers: parseSecrets(peppers) })
  const plain = await make('')
  const old = await make('pepper-1')
  const current = await make('pepper-2,pepper-1')
  const stored = await old.hash('monsoon')
  expect(await old.verify(stored, 'monsoon')).toEqual({ ok: true, isStale: false })
  expect(await old.verify(stored, 'monsoom')).toMatchObject({ ok: false })
  expect(await current.verify(stored, 'monsoon')).toEqual({ ok: true, isStale: true })
  expect(await current.verify(await plain.hash('monsoon'), 'monsoon')).toEqual({ ok: true, isStale: true })
  expect(await plain.verify(stored, 'monsoon')).toMatchObject({ ok: false })
  expect(await (await make('', 128)).verify(await plain.hash('monsoon'), 'monsoon')).toEqual({
    ok: true,
    isStale: true,
  })
  expect(await plain.verify(undefined, 'monsoon')).toMatchObject({ ok: false })
})

test('an unknown address costs the same work as a wrong password: one argon2 run of the same parameters', async () => {
  const passwords = await createPasswords({ memoryKib: 64, passes: 2, lanes: 1, concurrency: 1, peppers: [] })
  const stored = await passwords.hash('monsoon')
  const work = async (hash: string | undefined) => {
    vi.mocked(argon2.verify).mockClear()
    expect(await passwords.verify(hash, 'wrong')).toMatchObject({ ok: false })
    return vi.mocked(argon2.verify).mock.calls.map(([phc, password]) => [argon2.parseOptions(String(phc)), password])
  }
  const known = await work(stored)
  expect(known).toHaveLength(1)
  expect(await work(undefined)).toEqual(known)
})

test('a flood of sign-ins is shed instead of queued without end', async () => {
  const passwords = await createPasswords({ memoryKib: 1024, passes: 1, lanes: 1, concurrency: 1, peppers: [] })
  const answers = await Promise.allSettled(Array.from({ length: 150 }, () => passwords.hash('monsoon')))
  const shed = answers.flatMap((a) => (a.status === 'rejected' ? [a.reason.code] : []))
  expect(shed).toHaveLength(49)
  expect(new Set(shed)).toEqual(new Set(['auth_overloaded']))
  await passwords.hash('monsoon')
})

test('a service whose credentials left the configuration stops getting tokens; a tool’s name is not taken over', async () => {
  const issue = (clientId: string, clientSecret: string) =>
    h.anyone.issueServiceToken({ clientId, clientSecret }).then(
      () => 'ok',
      (error) => error.code,
    )
  await seedServiceAccounts(h.db, { storefront: 'another-secret' }, h.now())
  expect(await issue('storefront', 'storefront-secret')).toBe('credentials_invalid')
  expect(await issue('storefront', 'another-secret')).toBe('ok')
  expect(await issue('order', 'order-secret-new')).toBe('credentials_invalid')
  const admin = await h.admin()
  await admin.client.createServiceAccount({ name: 'robot', permissions: [] })
  await expect(seedServiceAccounts(h.db, { robot: 'secret' }, h.now())).rejects.toThrow('robot')
})
