import { createVerifier } from '@haat/kit/auth'
import { newId } from '@haat/kit/id'
import { customer } from '@haat/testkit/tokens'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { partsOf, SERVICES, startHarness } from './harness.ts'

const h = await startHarness()
const { anyone } = h
const DAY = 86_400
const verifier = () =>
  createVerifier({ issuer: 'haat', fetchJwks: async () => ({ keys: (await anyone.getJwks({})).keys }), now: h.now })

test('two keys are published, the one that signs and the next, and nothing private with them', async () => {
  const { keys } = await anyone.getJwks({})
  expect(keys).toHaveLength(2)
  for (const key of keys) expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' })
  expect(Object.keys(keys[0]!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  const rows = await h.db.selectFrom('signing_keys').selectAll().execute()
  for (const row of rows) expect(row.private_sealed.toString('utf8')).not.toContain('"d"')
})

test('other processes verify its tokens by the published keys, through two rotations', async () => {
  const verify = verifier()
  const who = await h.register()
  expect(await verify(who.token)).toMatchObject({ kind: 'user', id: who.userId, sessionId: who.sessionId })
  const kids = new Set([partsOf(who.token)[0].kid])
  for (let i = 0; i < 2; i++) {
    h.pass(30 * DAY - 60 - (i > 0 ? 120 - 60 + 17 * 60 : 0))
    await h.test.service.runJob('rotate-keys')
    const before = await h.register()
    h.pass(120)
    await h.test.service.runJob('rotate-keys')
    const after = await h.register()
    kids.add(partsOf(after.token)[0].kid)
    expect(partsOf(after.token)[0].kid).not.toBe(partsOf(before.token)[0].kid)
    expect(await verify(before.token)).toMatchObject({ id: before.userId })
    expect(await verify(after.token)).toMatchObject({ id: after.userId })
    h.pass(17 * 60)
    await h.test.service.runJob('rotate-keys')
    expect((await anyone.getJwks({})).keys).toHaveLength(2)
  }
  expect(kids.size).toBe(3)
})

test('a restart keeps the keys and the tokens', async () => {
  const who = await h.register()
  const before = await anyone.getJwks({})
  await h.test.restart()
  expect(await anyone.getJwks({})).toEqual(before)
  expect((await who.client.getMe({})).user?.id).toBe(who.userId)
})

test('no token but its own gets in: unsigned, signed by another, expired, ended', async () => {
  const refused = { status: 'UNAUTHENTICATED', code: 'token_invalid' }
  const who = await h.register()
  const [header, claims] = partsOf(who.token)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${part({ ...header, alg: 'none' })}.${part(claims)}.`
  const { keys } = await anyone.getJwks({})
  const confused = await new SignJWT({ ...claims })
    .setProtectedHeader({ ...header, alg: 'HS256' } as never)
    .sign(Buffer.from(keys[0]!.x, 'base64url'))
  const promoted = who.token.replace(
    /\.[^.]+\./,
    `.${part({ ...claims, roles: ['super_admin'], permissions: ['users.write'] })}.`,
  )
  for (const token of [unsigned, confused, promoted, (await customer()).token, 'a.b.c'])
    await expect(h.as({ token }).getMe({})).rejects.toMatchObject(refused)
  await expect(anyone.getMe({})).rejects.toMatchObject({ code: 'login_required' })
  h.pass(901)
  await expect(who.client.getMe({})).rejects.toMatchObject({ code: 'token_expired' })
})

test('a service proves itself with its configured secret, the new one or the old', async () => {
  const verify = verifier()
  for (const clientSecret of SERVICES.order) {
    const { accessToken, expiresAt } = await anyone.issueServiceToken({ clientId: 'order', clientSecret })
    expect(await verify(accessToken)).toMatchObject({ kind: 'service', id: 'order', isInternal: true })
    expect(expiresAt!.getTime() - h.now().getTime()).toBeGreaterThan(890_000)
  }
  const who = await h.register()
  const order = h.as({ serviceToken: await h.serviceToken('order', SERVICES.order[0]!) })
  expect((await order.lookupUser({ email: who.email })).user?.id).toBe(who.userId)
  await expect(who.client.lookupUser({ email: who.email })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('guesses at a service’s secret are refused and soon wait; the service itself never does', async () => {
  const guess = (clientId: string) =>
    anyone.issueServiceToken({ clientId, clientSecret: newId() }).catch((error) => error.code)
  for (let i = 0; i < 20; i++) expect(await guess('storefront')).toBe('credentials_invalid')
  expect(await guess('storefront')).toBe('too_many_attempts')
  expect(await guess('nobody')).toBe('credentials_invalid')
  await h.serviceToken()
})
