import { newId } from '@haat/kit/id'
import { expect, test } from 'vitest'
import { claimsOf, startHarness } from './harness.ts'

const h = await startHarness()
const { anyone } = h
const spent = { status: 'UNAUTHENTICATED', code: 'refresh_token_reused' }
const dead = { status: 'UNAUTHENTICATED', code: 'refresh_token_invalid' }

test('refreshing gives new tokens of the same session; the old one is spent', async () => {
  const who = await h.register()
  const { user, tokens } = await anyone.refresh({ refreshToken: who.refreshToken })
  expect(user?.id).toBe(who.userId)
  expect(tokens?.refreshToken).not.toBe(who.refreshToken)
  expect(claimsOf(tokens!.accessToken)).toMatchObject({ sub: who.userId, sid: who.sessionId, roles: ['customer'] })
  expect((await h.as({ token: tokens!.accessToken }).listSessions({})).sessions).toHaveLength(1)
})

test('50 refreshes of one token at once get one and the same successor', async () => {
  const who = await h.register()
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => anyone.refresh({ refreshToken: who.refreshToken })),
  )
  const successors = new Set(answers.map((a) => a.tokens!.refreshToken))
  expect(successors.size).toBe(1)
  const rows = await h.db.selectFrom('refresh_tokens').selectAll().where('session_id', '=', who.sessionId).execute()
  expect(rows).toHaveLength(2)
  await anyone.refresh({ refreshToken: [...successors][0]! })
})

test('a spent token shown later revokes the whole session, whoever shows it', async () => {
  const who = await h.register()
  const { tokens } = await anyone.refresh({ refreshToken: who.refreshToken })
  h.pass(11)
  await expect(anyone.refresh({ refreshToken: who.refreshToken })).rejects.toMatchObject(spent)
  await expect(anyone.refresh({ refreshToken: tokens!.refreshToken })).rejects.toMatchObject(dead)
  await expect(h.as({ token: tokens!.accessToken }).getMe({})).rejects.toMatchObject({ code: 'token_invalid' })
})

test('the window for a lost answer is for the parent of the newest token only', async () => {
  const who = await h.register()
  const second = await anyone.refresh({ refreshToken: who.refreshToken })
  const third = await anyone.refresh({ refreshToken: second.tokens!.refreshToken })
  await expect(anyone.refresh({ refreshToken: who.refreshToken })).rejects.toMatchObject(spent)
  await expect(anyone.refresh({ refreshToken: third.tokens!.refreshToken })).rejects.toMatchObject(dead)
})

test('another session of the same person survives a reuse', async () => {
  const who = await h.register()
  const other = await h.login(who.email)
  await anyone.refresh({ refreshToken: who.refreshToken })
  h.pass(11)
  await expect(anyone.refresh({ refreshToken: who.refreshToken })).rejects.toMatchObject(spent)
  await anyone.refresh({ refreshToken: other.refreshToken })
})

test('a token nobody gave out does not work', async () => {
  await expect(anyone.refresh({ refreshToken: 'nonsense' })).rejects.toMatchObject(dead)
})

test('a session that is not used for a week ends', async () => {
  const idle = await h.register()
  h.pass(7 * 86_400 + 1)
  await expect(anyone.refresh({ refreshToken: idle.refreshToken })).rejects.toMatchObject(dead)
})

test('a session that is used every day ends after thirty', async () => {
  const who = await h.register()
  let { refreshToken } = who
  for (let day = 0; day < 29; day++) {
    h.pass(86_400)
    refreshToken = (await anyone.refresh({ refreshToken })).tokens!.refreshToken
  }
  h.pass(86_400)
  await expect(anyone.refresh({ refreshToken })).rejects.toMatchObject(dead)
})

test('logging out ends the session, and answers the same for any token', async () => {
  const who = await h.register()
  expect(await anyone.logout({ refreshToken: who.refreshToken })).toEqual({})
  expect(await anyone.logout({ refreshToken: who.refreshToken })).toEqual({})
  expect(await anyone.logout({ refreshToken: 'nonsense' })).toEqual({})
  await expect(anyone.refresh({ refreshToken: who.refreshToken })).rejects.toMatchObject(dead)
})

test('logging out and refreshing at once never leaves a session that works', async () => {
  for (let i = 0; i < 10; i++) {
    const who = await h.register()
    const [, refreshed] = await Promise.all([
      anyone.logout({ refreshToken: who.refreshToken }),
      anyone.refresh({ refreshToken: who.refreshToken }).catch(() => undefined),
    ])
    const token = refreshed?.tokens?.refreshToken ?? who.refreshToken
    await expect(anyone.refresh({ refreshToken: token })).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  }
})

test('sessions are listed latest first, page by page, without those that ended', async () => {
  const who = await h.register()
  const more = []
  for (let i = 0; i < 4; i++) {
    h.pass(1)
    more.push(await h.login(who.email))
  }
  await anyone.logout({ refreshToken: more[1]!.refreshToken })
  const first = await who.client.listSessions({ pageSize: 3 })
  const rest = await who.client.listSessions({ pageSize: 3, pageToken: first.nextPageToken })
  expect([...first.sessions, ...rest.sessions].map((s) => s.id)).toEqual(
    [more[3], more[2], more[0], who].map((s) => s!.sessionId),
  )
  expect(rest.nextPageToken).toBe('')
  expect(rest.sessions.find((s) => s.current)?.id).toBe(who.sessionId)
})

test('a person ends their own sessions and nobody else’s', async () => {
  const who = await h.register()
  const other = await h.login(who.email)
  const stranger = await h.register()
  const absent = await stranger.client.revokeSession({ sessionId: newId() }).catch((error) => error)
  const foreign = await stranger.client.revokeSession({ sessionId: who.sessionId }).catch((error) => error)
  expect([foreign.status, foreign.code, foreign.message]).toEqual([absent.status, absent.code, absent.message])
  expect(foreign).toMatchObject({ status: 'NOT_FOUND', code: 'session_not_found' })
  await who.client.revokeSession({ sessionId: other.sessionId })
  await who.client.revokeSession({ sessionId: other.sessionId })
  await expect(anyone.refresh({ refreshToken: other.refreshToken })).rejects.toMatchObject(dead)
  expect((await who.client.listSessions({})).sessions.map((s) => s.id)).toEqual([who.sessionId])
})

test('what ended is swept, what is open stays', async () => {
  const gone = await h.register()
  await anyone.forgotPassword({ email: gone.email })
  h.pass(16 * 86_400)
  const stays = await h.register()
  await anyone.refresh({ refreshToken: stays.refreshToken })
  h.pass(61)
  await h.test.service.runJob('sweep')
  const sessions = await h.db.selectFrom('sessions').select('id').execute()
  expect(sessions.map((row) => row.id)).toContain(stays.sessionId)
  expect(sessions.map((row) => row.id)).not.toContain(gone.sessionId)
  const left = await h.db
    .selectFrom('refresh_tokens')
    .select('successor_sealed')
    .where('session_id', '=', stays.sessionId)
    .execute()
  expect(left.map((row) => row.successor_sealed)).toEqual([null, null])
  expect(await h.db.selectFrom('password_resets').select('id').execute()).toEqual([])
})
