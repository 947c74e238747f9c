import { UserStatus } from '@haat/proto/auth/v1/auth'
import {
  UserCreated,
  UserEmailVerificationRequested,
  UserPasswordChanged,
  UserPasswordResetRequested,
} from '@haat/proto/auth/v1/events'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { claimsOf, PASSWORD, partsOf, startHarness } from './harness.ts'

const h = await startHarness()
const { anyone } = h
const INVALID = { status: 'UNAUTHENTICATED', code: 'credentials_invalid' }
const NEW_PASSWORD = 'tea garden sylhet 9'

test('registering opens an account and a session, and asks for the address to be confirmed', async () => {
  const email = h.newEmail()
  const { user, tokens } = await anyone.register({
    email: email.toUpperCase(),
    password: PASSWORD,
    name: 'Rahima Khatun',
    phone: '+8801712345678',
    locale: 'bn',
  })
  expect(user).toMatchObject({
    email,
    name: 'Rahima Khatun',
    locale: 'bn',
    status: UserStatus.PENDING,
    roles: ['customer'],
  })
  const [header, claims] = partsOf(tokens!.accessToken)
  expect(header).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.any(String) })
  expect(claims).toMatchObject({
    sub: user!.id,
    kind: 'user',
    sid: tokens!.sessionId,
    roles: ['customer'],
    permissions: [],
    iss: 'haat',
    aud: 'haat',
  })
  expect(claims.exp - claims.iat).toBe(900)
  expect(claims).not.toHaveProperty('vendorId')
  expect((await h.as({ token: tokens!.accessToken }).getMe({})).user).toEqual(user)

  const created = (await h.test.emitted(UserCreated)).filter((e) => e.data.userId === user!.id)
  expect(created.map((e) => e.data)).toMatchObject([
    { email, name: 'Rahima Khatun', phone: '+8801712345678', locale: 'bn' },
  ])
  const asked = (await h.test.emitted(UserEmailVerificationRequested)).filter((e) => e.data.userId === user!.id)
  expect(asked).toHaveLength(1)
})

test('of 20 registrations of one address at once, one makes an account', async () => {
  const email = h.newEmail()
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, () => anyone.register({ email, password: PASSWORD, name: 'Twin' })),
  )
  expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(1)
  const codes = new Set(answers.flatMap((a) => (a.status === 'rejected' ? [a.reason.code] : [])))
  expect([...codes]).toEqual(['email_taken'])
  expect((await h.test.emitted(UserCreated)).filter((e) => e.data.email === email)).toHaveLength(1)
})

test('a weak password is refused with the rules it misses, and makes nothing', async () => {
  const email = h.newEmail()
  await expect(anyone.register({ email, password: 'qwerty', name: 'Weak' })).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    code: 'password_weak',
    details: { rules: ['length:12', 'common'] },
  })
  await expect(anyone.register({ email: 'nonsense', password: PASSWORD, name: 'X' })).rejects.toMatchObject({
    code: 'request_invalid',
  })
  await expect(anyone.login({ email, password: 'qwerty' })).rejects.toMatchObject(INVALID)
})

test('neither passwords nor tokens are anywhere in the database', async () => {
  const who = await h.register()
  await anyone.forgotPassword({ email: who.email })
  const reset = await h.resetToken(who.email)
  const user = await h.db.selectFrom('users').selectAll().where('id', '=', who.userId).executeTakeFirstOrThrow()
  expect(user.password_hash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
  let dump = ''
  for (const table of ['users', 'sessions', 'refresh_tokens', 'password_resets', 'email_verifications', 'throttles']) {
    const { rows } = await sql<{ text: string }>`select t::text as text from ${sql.table(table)} t`.execute(h.db)
    dump += rows.map((row) => row.text).join('\n')
  }
  expect(dump).toContain(who.email)
  for (const secret of [PASSWORD, who.refreshToken, who.token, reset!])
    for (const form of [secret, Buffer.from(secret).toString('hex')]) expect(dump).not.toContain(form)
})

test('an unknown address and a wrong password have one answer', async () => {
  const { email } = await h.register()
  const wrong = await anyone.login({ email, password: 'wrong' }).catch((error) => error)
  const unknown = await anyone.login({ email: h.newEmail(), password: 'wrong' }).catch((error) => error)
  expect(wrong).toMatchObject(INVALID)
  expect([unknown.status, unknown.code, unknown.message, unknown.details]).toEqual([
    wrong.status,
    wrong.code,
    wrong.message,
    wrong.details,
  ])
})

test('signing in answers the account as it is and notes the time', async () => {
  const { email } = await h.register()
  const { user } = await anyone.login({ email: ` ${email} `.trim().toUpperCase(), password: PASSWORD })
  expect(user?.lastLoginAt?.getTime()).toBeGreaterThan(h.now().getTime() - 5_000)
})

test('failures make an account wait longer and longer; the right password does not help until then, then clears it', async () => {
  const { email } = await h.register()
  for (let i = 0; i < 5; i++) await expect(anyone.login({ email, password: 'wrong' })).rejects.toMatchObject(INVALID)
  await expect(anyone.login({ email, password: PASSWORD })).rejects.toMatchObject({
    status: 'RESOURCE_EXHAUSTED',
    code: 'too_many_attempts',
    details: { retryAfterSeconds: 1 },
  })
  h.pass(2)
  await expect(anyone.login({ email, password: 'wrong' })).rejects.toMatchObject(INVALID)
  await expect(anyone.login({ email, password: 'wrong' })).rejects.toMatchObject({ details: { retryAfterSeconds: 2 } })
  h.pass(3)
  await h.login(email)
  await expect(anyone.login({ email, password: 'wrong' })).rejects.toMatchObject(INVALID)
  await h.login(email)
})

test('an unknown address is locked just the same', async () => {
  const email = h.newEmail()
  for (let i = 0; i < 5; i++) await expect(anyone.login({ email, password: 'wrong' })).rejects.toMatchObject(INVALID)
  await expect(anyone.login({ email, password: 'wrong' })).rejects.toMatchObject({ code: 'too_many_attempts' })
})

test('60 guesses at once get no further than 5', async () => {
  const { email } = await h.register()
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => anyone.login({ email, password: 'wrong' }).catch((error) => error.code)),
  )
  expect(answers.filter((code) => code === 'credentials_invalid')).toHaveLength(5)
  expect(answers.filter((code) => code === 'too_many_attempts')).toHaveLength(55)
})

test('an address that fails at many accounts waits too; one that signs in rightly never does', async () => {
  const bff = await h.bff()
  const clientIp = '2001:db8:7:7::1'
  const { email } = await h.register()
  for (let i = 0; i < 12; i++) await bff.login({ email, password: PASSWORD, clientIp })
  const guess = (ip: string) => bff.login({ email: h.newEmail(), password: 'wrong', clientIp: ip }).catch((e) => e.code)
  for (let i = 0; i < 10; i++) expect(await guess(`2001:db8:7:7::${i + 2}`)).toBe('credentials_invalid')
  expect(await guess('2001:db8:7:7:ffff::1')).toBe('too_many_attempts')
  expect(await guess('2001:db8:7:8::1')).toBe('credentials_invalid')
})

test('an address is believed from a service only', async () => {
  const { email } = await h.register()
  const direct = await anyone.login({ email, password: PASSWORD, clientIp: '203.0.113.5', userAgent: 'direct' })
  const bff = await (await h.bff()).login({ email, password: PASSWORD, clientIp: '203.0.113.5', userAgent: 'bff' })
  const { sessions } = await h.as({ token: bff.tokens!.accessToken }).listSessions({})
  const seen = Object.fromEntries(sessions.map((s) => [s.userAgent, [s.ip, s.current]]))
  expect(seen).toMatchObject({ direct: ['', false], bff: ['203.0.113.5', true] })
  expect(claimsOf(direct.tokens!.accessToken).sub).toBe(direct.user!.id)
})

test('one address registers so many accounts in an hour', async () => {
  const bff = await h.bff()
  const attempt = () =>
    bff.register({ email: h.newEmail(), password: 'weak', name: 'Bot', clientIp: '198.51.100.9' }).catch((e) => e.code)
  for (let i = 0; i < 30; i++) expect(await attempt()).toBe('password_weak')
  expect(await attempt()).toBe('too_many_attempts')
})

test('a hash made with other parameters works, and is renewed by the next sign-in', async () => {
  const { email, userId } = await h.register()
  const { hash } = await import('@node-rs/argon2')
  const old = await hash(PASSWORD, { memoryCost: 32, timeCost: 2, parallelism: 1 })
  await h.db.updateTable('users').set({ password_hash: old }).where('id', '=', userId).execute()
  await Promise.all([h.login(email), h.login(email), h.login(email)])
  const { password_hash } = await h.db
    .selectFrom('users')
    .select('password_hash')
    .where('id', '=', userId)
    .executeTakeFirstOrThrow()
  expect(password_hash).toContain('m=64,t=1')
  await h.login(email)
})

test('confirming the address makes a pending account active; the link bears repeating, another does not work', async () => {
  const { email, userId, client } = await h.register()
  const token = (await h.verificationToken(email))!
  expect(await anyone.verifyEmail({ token })).toEqual({ userId })
  const { user } = await client.getMe({})
  expect(user?.status).toBe(UserStatus.ACTIVE)
  expect(await anyone.verifyEmail({ token })).toEqual({ userId })
  expect((await client.getMe({})).user?.emailVerifiedAt).toEqual(user?.emailVerifiedAt)
  await expect(client.requestEmailVerification({})).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'email_already_verified',
  })
  await expect(anyone.verifyEmail({ token: 'x'.repeat(43) })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'verification_token_invalid',
  })
})

test('a confirmation link can be asked for again, a few times, and works for a day', async () => {
  const { email, client } = await h.register()
  for (let i = 0; i < 5; i++) await client.requestEmailVerification({})
  await expect(client.requestEmailVerification({})).rejects.toMatchObject({ code: 'too_many_attempts' })
  const token = (await h.verificationToken(email))!
  h.pass(86_401)
  await expect(anyone.verifyEmail({ token })).rejects.toMatchObject({ code: 'verification_token_invalid' })
})

test('a forgotten password: the answer says nothing, the mailed link works once and ends every session', async () => {
  const who = await h.register()
  const stranger = h.newEmail()
  expect(await anyone.forgotPassword({ email: stranger })).toEqual(await anyone.forgotPassword({ email: who.email }))
  expect((await h.test.emitted(UserPasswordResetRequested)).filter((e) => e.data.email === stranger)).toEqual([])
  const token = (await h.resetToken(who.email))!
  await expect(anyone.resetPassword({ token, newPassword: 'short' })).rejects.toMatchObject({ code: 'password_weak' })

  const answers = await Promise.allSettled(
    Array.from({ length: 8 }, (_, i) => anyone.resetPassword({ token, newPassword: `${NEW_PASSWORD}-${i}` })),
  )
  expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(1)
  await expect(anyone.resetPassword({ token, newPassword: NEW_PASSWORD })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'reset_token_invalid',
  })
  await expect(anyone.refresh({ refreshToken: who.refreshToken })).rejects.toMatchObject({
    code: 'refresh_token_invalid',
  })
  await expect(who.client.getMe({})).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  await expect(anyone.login({ email: who.email, password: PASSWORD })).rejects.toMatchObject(INVALID)
  const winner = answers.findIndex((a) => a.status === 'fulfilled')
  const { user } = await anyone.login({ email: who.email, password: `${NEW_PASSWORD}-${winner}` })
  expect(user?.emailVerifiedAt).toBeInstanceOf(Date)
  expect((await h.test.emitted(UserPasswordChanged)).filter((e) => e.data.userId === who.userId)).toHaveLength(1)
})

test('a reset link works for an hour, a newer one does not end it, a set password does', async () => {
  const { email } = await h.register()
  await anyone.forgotPassword({ email })
  const late = (await h.resetToken(email))!
  h.pass(3_601)
  await expect(anyone.resetPassword({ token: late, newPassword: NEW_PASSWORD })).rejects.toMatchObject({
    code: 'reset_token_invalid',
  })
  await anyone.forgotPassword({ email })
  const first = (await h.resetToken(email))!
  await anyone.forgotPassword({ email })
  const second = (await h.resetToken(email))!
  await anyone.resetPassword({ token: first, newPassword: NEW_PASSWORD })
  await expect(anyone.resetPassword({ token: second, newPassword: NEW_PASSWORD })).rejects.toMatchObject({
    code: 'reset_token_invalid',
  })
})

test('reset mails are rationed the same for known and unknown addresses', async () => {
  const { email } = await h.register()
  for (const address of [email, h.newEmail()]) {
    for (let i = 0; i < 5; i++) await anyone.forgotPassword({ email: address })
    await expect(anyone.forgotPassword({ email: address })).rejects.toMatchObject({ code: 'too_many_attempts' })
  }
})

test('changing the password ends every other session and needs the current one', async () => {
  const here = await h.register()
  const there = await h.login(here.email)
  await expect(
    here.client.changePassword({ currentPassword: 'wrong', newPassword: NEW_PASSWORD }),
  ).rejects.toMatchObject(INVALID)
  await expect(
    here.client.changePassword({ currentPassword: PASSWORD, newPassword: 'rahima-1234567' }),
  ).rejects.toMatchObject({
    code: 'password_weak',
    details: { rules: ['personal'] },
  })
  await here.client.changePassword({ currentPassword: PASSWORD, newPassword: NEW_PASSWORD })
  await expect(there.client.getMe({})).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  await expect(anyone.refresh({ refreshToken: there.refreshToken })).rejects.toMatchObject({
    code: 'refresh_token_invalid',
  })
  await anyone.refresh({ refreshToken: here.refreshToken })
  await h.login(here.email, NEW_PASSWORD)
  expect((await h.test.emitted(UserPasswordChanged)).filter((e) => e.data.userId === here.userId)).toHaveLength(1)
})

test('two password changes at once: one wins', async () => {
  const { client, email } = await h.register()
  const passwords = ['green boat on padma', 'blue boat on jamuna']
  const answers = await Promise.allSettled(
    passwords.map((newPassword) => client.changePassword({ currentPassword: PASSWORD, newPassword })),
  )
  const winner = answers.findIndex((a) => a.status === 'fulfilled')
  expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(1)
  await h.login(email, passwords[winner])
})

test('the current password cannot be guessed with a stolen session', async () => {
  const { client } = await h.register()
  const guess = () =>
    client.changePassword({ currentPassword: 'wrong', newPassword: NEW_PASSWORD }).catch((e) => e.code)
  for (let i = 0; i < 5; i++) expect(await guess()).toBe('credentials_invalid')
  expect(await guess()).toBe('too_many_attempts')
})
