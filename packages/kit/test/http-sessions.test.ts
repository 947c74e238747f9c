import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { currentCall } from '../src/call.ts'
import { unauthenticated, unavailable } from '../src/errors.ts'
import { clientIp, networkOf } from '../src/http/address.ts'
import { limitBy } from '../src/http/rate-limit.ts'
import { createRoutes, route } from '../src/http/route.ts'
import { strict, z } from '../src/http/schemas.ts'
import type { Tokens } from '../src/http/sessions.ts'
import { openRedis, type Redis } from '../src/redis.ts'
import { createSealer } from '../src/seal.ts'
import {
  cookieOf,
  createCuttablePath,
  createHarness,
  createIssuer,
  eventually,
  type Harness,
  jsonPost,
  log,
  problemOf,
  redisUrl,
} from './http-harness.ts'

const ORIGIN = { origin: 'http://localhost' }
let redis: Redis
let issuer: Harness['issuer']

beforeAll(async () => {
  redis = openRedis({ url: redisUrl(), log, commandTimeoutMs: 2_000 })
  issuer = await createIssuer()
})
afterAll(() => redis.disconnect())

/** A BFF in small: login by naming oneself, logout, who am I, a write. */
async function createBff(
  options: Parameters<typeof createHarness>[0] & { tokens?: (sub: string) => Promise<Tokens> } = {},
) {
  const harness = await createHarness({ redis, issuer, ...options })
  const { app, sessions } = harness
  const routes = createRoutes()
  const who = z.object({ id: z.string(), kind: z.string() })
  const tokens =
    options.tokens ??
    (async (sub: string) => ({ accessToken: await issuer.sign({ sub }), refreshToken: `refresh-${sub}` }))
  routes.openapi(
    route({
      method: 'post',
      path: '/login',
      summary: 'l',
      auth: 'public',
      rateClass: 'login',
      body: strict({ sub: z.string() }),
      response: z.object({ csrfToken: z.string(), as: z.string() }),
    }),
    async (c) => {
      const { csrfToken } = await sessions.create(c, await tokens(c.req.valid('json').sub))
      return c.json({ csrfToken, as: currentCall()!.caller.id }, 200)
    },
  )
  routes.openapi(
    route({
      method: 'post',
      path: '/logout',
      summary: 'o',
      auth: 'public',
      response: z.object({ refreshToken: z.string().optional() }),
    }),
    async (c) => {
      const refreshToken = await sessions.destroy(c)
      return c.json(refreshToken === undefined ? {} : { refreshToken }, 200)
    },
  )
  const show = { response: who }
  routes.openapi(route({ method: 'get', path: '/who', summary: 'w', auth: 'public', ...show }), (c) =>
    c.json(c.get('call').caller, 200),
  )
  routes.openapi(route({ method: 'get', path: '/mine', summary: 'p', auth: 'public', personal: true, ...show }), (c) =>
    c.json(c.get('call').caller, 200),
  )
  routes.openapi(route({ method: 'get', path: '/me', summary: 'm', auth: 'user', ...show }), (c) =>
    c.json(c.get('call').caller, 200),
  )
  routes.openapi(route({ method: 'post', path: '/write', summary: 'x', auth: 'user', ...show }), (c) =>
    c.json(c.get('call').caller, 200),
  )
  routes.openapi(route({ method: 'post', path: '/hook', summary: 'h', auth: 'public', csrf: false, ...show }), (c) =>
    c.json(c.get('call').caller, 200),
  )
  app.route('/', routes)
  const login = async (sub = 'u-1', headers: Record<string, string> = {}) => {
    const res = await app.request('/login', jsonPost({ sub }, { ...ORIGIN, ...headers }))
    expect(res.status).toBe(200)
    const { csrfToken } = (await res.json()) as { csrfToken: string }
    return { cookie: cookieOf(res), csrfToken, res }
  }
  const get = (path: string, cookie: string) => app.request(path, { headers: { cookie } })
  return { ...harness, login, get }
}

describe('a session', () => {
  test('is a random id in an HttpOnly, Secure, SameSite cookie that no token ever enters', async () => {
    const bff = await createBff()
    const { res, cookie } = await bff.login()
    expect(res.headers.getSetCookie()[0]).toMatch(
      /^__Host-sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=43200$/,
    )
    const answers = [res, await bff.get('/me', cookie), await bff.get('/who', cookie)]
    for (const answer of answers) {
      const text = JSON.stringify([...answer.headers]) + (answer.bodyUsed ? '' : await answer.text())
      expect(text).not.toMatch(/eyJ|refresh-/)
    }
  })

  test('has a plain cookie over development HTTP', async () => {
    const { res } = await (await createBff({ secure: false })).login()
    expect(res.headers.getSetCookie()[0]).toMatch(/^sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200$/)
    expect(res.headers.has('strict-transport-security')).toBe(false)
  })

  test('speaks for its owner from the login on, and for nobody after logout', async () => {
    const bff = await createBff()
    const { cookie, csrfToken, res } = await bff.login('u-7')
    expect(res.status).toBe(200)
    expect(await (await bff.get('/me', cookie)).json()).toMatchObject({ id: 'u-7', kind: 'user' })
    const out = await bff.app.request('/logout', jsonPost('', { cookie, 'x-csrf-token': csrfToken, ...ORIGIN }))
    expect(await out.json()).toEqual({ refreshToken: 'refresh-u-7' })
    expect(out.headers.getSetCookie()[0]).toMatch(/^__Host-sid=;.*Max-Age=0$/)
    const after = await bff.get('/me', cookie)
    expect([after.status, after.headers.getSetCookie()[0]]).toEqual([401, expect.stringMatching(/Max-Age=0$/)])
  })

  test('gets a new id at every login, and the id before is dead (no fixation)', async () => {
    const bff = await createBff()
    const planted = `__Host-sid=${'A'.repeat(43)}`
    const first = await bff.login('u-1', { cookie: planted })
    expect(first.cookie).not.toBe(planted)
    const second = await bff.app.request(
      '/login',
      jsonPost({ sub: 'u-2' }, { ...ORIGIN, cookie: first.cookie, 'x-csrf-token': first.csrfToken }),
    )
    expect(cookieOf(second)).not.toBe(first.cookie)
    expect((await bff.get('/me', first.cookie)).status).toBe(401)
    expect((await bff.get('/me', cookieOf(second))).status).toBe(200)
  })

  test('does not disturb the other sessions of the same person', async () => {
    const bff = await createBff()
    const [one, two] = [await bff.login('u-1'), await bff.login('u-1')]
    await bff.app.request('/logout', jsonPost('', { cookie: one!.cookie, 'x-csrf-token': one!.csrfToken, ...ORIGIN }))
    expect((await bff.get('/me', two!.cookie)).status).toBe(200)
  })

  test('leaves neither its id nor its tokens readable in Redis', async () => {
    const bff = await createBff()
    const { cookie } = await bff.login()
    const keys = await redis.keys(`session:${bff.name}:*`)
    expect(keys).toHaveLength(1)
    const id = cookie.split('=')[1]!
    const value = (await redis.get(keys[0]!))!
    expect(keys[0] + value + Buffer.from(value, 'base64').toString('latin1')).not.toMatch(
      new RegExp(`${id}|eyJ|refresh-`),
    )
  })

  test('does not open when its state was moved to another key, or at another BFF', async () => {
    const bff = await createBff()
    const [mine, theirs] = [await bff.login('u-1'), await bff.login('u-2')]
    const keys = await redis.keys(`session:${bff.name}:*`)
    const [a, b] = [await redis.get(keys[0]!), await redis.get(keys[1]!)]
    await redis.mset(keys[0]!, b!, keys[1]!, a!)
    for (const { cookie } of [mine, theirs]) expect((await bff.get('/me', cookie)).status).toBe(401)
    const other = createSealer(['a secret of the right length, 32+.'], 'other')
    const own = createSealer(['a secret of the right length, 32+.'], 'own')
    expect(other.open(own.seal('text', 'key'), 'key')).toBeUndefined()
    expect(
      createSealer(['the new secret of 32 characters!!', 'a secret of the right length, 32+.'], 'own').open(
        own.seal('text', 'key'),
        'key',
      ),
    ).toBe('text')
  })

  test('ends after being idle, and at its absolute end however busy', async () => {
    let at = Date.now()
    const bff = await createBff({ session: { absoluteMs: 60_000, idleMs: 400, now: () => at } })
    const idle = await bff.login()
    await eventually(async () => expect(await redis.keys(`session:${bff.name}:*`)).toEqual([]))
    expect((await bff.get('/me', idle.cookie)).status).toBe(401)
    const busy = await bff.login()
    at += 59_000
    expect((await bff.get('/me', busy.cookie)).status).toBe(200)
    at += 2_000
    expect((await bff.get('/me', busy.cookie)).status).toBe(401)
  })
})

describe('an expired access token', () => {
  /** Logs in with a token that has ended; renewals are counted and answered slowly enough to overlap. */
  async function expired(answer?: () => Promise<Tokens>) {
    const seen: string[] = []
    let overlapping: () => void = () => {}
    const started = new Promise<void>((resolve) => (overlapping = resolve))
    const refresh = async (refreshToken: string) => {
      seen.push(refreshToken)
      overlapping()
      await new Promise((resolve) => setImmediate(resolve))
      if (answer) return answer()
      return {
        accessToken: await issuer.sign({ sub: 'u-1' }),
        refreshToken: 'second',
        accessTokenExpiresAt: new Date(Date.now() + 900_000),
      }
    }
    const tokens = async () => ({
      accessToken: await issuer.sign({ sub: 'u-1' }),
      refreshToken: 'first',
      accessTokenExpiresAt: new Date(Date.now() - 1),
    })
    const bff = await createBff({ refresh, tokens })
    const again = await createBff({ name: bff.name, refresh, tokens })
    return { bff, again, seen, started, ...(await bff.login()) }
  }

  test('is renewed once, however many requests at two instances see it expired', async () => {
    const { bff, again, seen, cookie } = await expired()
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? bff : again).get('/me', cookie)))
    expect(answers.map((res) => res.status)).toEqual(Array(50).fill(200))
    expect(seen).toEqual(['first'])
    await bff.get('/me', cookie)
    expect(seen).toEqual(['first'])
  })

  test('ends the session when auth refuses the refresh token', async () => {
    const { bff, seen, cookie } = await expired(async () => {
      throw unauthenticated('refresh_token_reused', 'spent')
    })
    const res = await bff.get('/me', cookie)
    expect([res.status, res.headers.getSetCookie()[0]]).toEqual([401, expect.stringMatching(/Max-Age=0$/)])
    await bff.get('/me', cookie)
    expect(seen).toEqual(['first'])
  })

  test('keeps the session when auth is away: 503 for the account, a guest for public pages', async () => {
    const { bff, cookie } = await expired(async () => {
      throw unavailable('service_unavailable', 'auth is away')
    })
    const me = await bff.get('/me', cookie)
    expect([me.status, me.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await (await bff.get('/who', cookie)).json()).toMatchObject({ kind: 'anonymous' })
    expect(await redis.keys(`session:${bff.name}:*`)).toHaveLength(1)
  })

  test('does not bring a session back that was ended during the renewal', async () => {
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const { bff, started, cookie } = await expired(async () => {
      await held
      return { accessToken: await issuer.sign({}), refreshToken: 'second' }
    })
    const renewal = bff.get('/me', cookie)
    await started
    await redis.del((await redis.keys(`session:${bff.name}:*`)).filter((key) => !key.endsWith(':lock')))
    release()
    expect((await renewal).status).toBe(401)
    expect((await bff.get('/me', cookie)).status).toBe(401)
  })
})

describe('a write with a cookie', () => {
  test("needs the session's token and a header that shows the page it came from", async () => {
    const bff = await createBff()
    const { cookie, csrfToken } = await bff.login()
    const other = await bff.login('u-2')
    const table: [headers: Record<string, string>, status: number, code?: string][] = [
      [{ ...ORIGIN, 'x-csrf-token': csrfToken }, 200],
      [{ 'sec-fetch-site': 'same-origin', 'x-csrf-token': csrfToken }, 200],
      [{ origin: 'https://shop.example', 'sec-fetch-site': 'same-site', 'x-csrf-token': csrfToken }, 200],
      [{ 'x-csrf-token': csrfToken }, 403, 'origin_required'],
      [{}, 403, 'origin_required'],
      [{ ...ORIGIN }, 403, 'csrf_token_invalid'],
      [{ ...ORIGIN, 'x-csrf-token': other.csrfToken }, 403, 'csrf_token_invalid'],
      [{ ...ORIGIN, 'x-csrf-token': `${csrfToken}x` }, 403, 'csrf_token_invalid'],
      [{ origin: 'https://evil.example', 'x-csrf-token': csrfToken }, 403, 'origin_forbidden'],
      [{ origin: 'null', 'x-csrf-token': csrfToken }, 403, 'origin_forbidden'],
      [{ 'sec-fetch-site': 'cross-site', 'x-csrf-token': csrfToken }, 403, 'origin_forbidden'],
      [{ 'sec-fetch-site': 'same-site', 'x-csrf-token': csrfToken }, 403, 'origin_forbidden'],
      [{ ...ORIGIN, 'sec-fetch-site': 'cross-site', 'x-csrf-token': csrfToken }, 403, 'origin_forbidden'],
    ]
    for (const [headers, status, code] of table) {
      const res = await bff.app.request('/write', { method: 'POST', headers: { cookie, ...headers } })
      expect([headers, res.status, res.ok ? undefined : (await problemOf(res)).code]).toEqual([headers, status, code])
    }
    const form = await bff.app.request('/write', {
      method: 'POST',
      headers: { cookie, ...ORIGIN, 'x-csrf-token': csrfToken, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'a=b',
    })
    expect(form.status).toBe(415)
  })

  test('is not asked of bearer clients, and a page of another site cannot log anybody in', async () => {
    const bff = await createBff()
    const authorization = `Bearer ${await issuer.sign({ sub: 'u-3' })}`
    expect((await bff.app.request('/write', { method: 'POST', headers: { authorization } })).status).toBe(200)
    const forced = await bff.app.request('/login', jsonPost({ sub: 'u-1' }, { origin: 'https://evil.example' }))
    expect([forced.status, forced.headers.getSetCookie()]).toEqual([403, []])
    expect((await bff.app.request('/login', jsonPost({ sub: 'u-1' }))).status).toBe(200)
  })

  test('is not asked of webhooks, which a cookie says nothing to', async () => {
    const bff = await createBff()
    const { cookie } = await bff.login('u-1')
    const res = await bff.app.request('/hook', {
      method: 'POST',
      headers: { cookie, origin: 'https://provider.example' },
    })
    expect(await res.json()).toMatchObject({ kind: 'anonymous' })
  })

  test('is spoken for by the bearer token alone when both are sent', async () => {
    const bff = await createBff()
    const { cookie } = await bff.login('u-1')
    const res = await bff.app.request('/who', {
      headers: { cookie, authorization: `Bearer ${await issuer.sign({ sub: 'u-3' })}` },
    })
    expect(await res.json()).toMatchObject({ id: 'u-3' })
  })
})

describe('limits', () => {
  const RATE_LIMITS = { read: { address: '5/60', subject: '3/60' }, login: { address: '4/60', subject: '2/60' } }
  const at = (address: string) => ({ incoming: { socket: { remoteAddress: address } } }) as never

  test('every answer shows the budget; a spent one is 429 with Retry-After in the error shape', async () => {
    const bff = await createBff({ config: { RATE_LIMITS } })
    const answers = []
    for (let i = 0; i < 6; i++) answers.push(await bff.app.request('/who', {}, at('10.0.0.1')))
    expect(answers.map((res) => res.status)).toEqual([200, 200, 200, 200, 200, 429])
    expect(answers.map((res) => res.headers.get('ratelimit-remaining'))).toEqual(['4', '3', '2', '1', '0', '0'])
    expect(answers[0]!.headers.get('ratelimit-limit')).toBe('5')
    const refused = answers[5]!
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(11)
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(12)
    expect((await problemOf(refused)).code).toBe('rate_limited')
    expect((await bff.app.request('/who', {}, at('10.0.0.2'))).status).toBe(200)
  })

  test('two instances share one budget under a concurrent flood', async () => {
    const first = await createBff({ config: { RATE_LIMITS: { read: { address: '50/3600' } } } })
    const second = await createBff({ name: first.name, config: { RATE_LIMITS: { read: { address: '50/3600' } } } })
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => (i % 2 ? first : second).app.request('/who', {}, at('10.0.0.3'))),
    )
    expect(answers.filter((res) => res.status === 200)).toHaveLength(50)
  })

  test('a person has one budget at all addresses, and refused requests cost the address nothing', async () => {
    const bff = await createBff({ config: { RATE_LIMITS } })
    const { cookie } = await bff.login()
    const statuses = []
    for (let i = 0; i < 5; i++)
      statuses.push((await bff.app.request('/me', { headers: { cookie } }, at(`10.0.1.${i}`))).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    const rest = await bff.app.request('/who', {}, at('10.0.1.4'))
    expect(rest.headers.get('ratelimit-remaining')).toBe('4')
  })

  test('an IPv6 client counts by its /64', async () => {
    const bff = await createBff({ config: { RATE_LIMITS } })
    const statuses = []
    for (let i = 0; i < 6; i++) statuses.push((await bff.app.request('/who', {}, at(`2001:db8:1:2::${i + 1}`))).status)
    expect(statuses.at(-1)).toBe(429)
    expect((await bff.app.request('/who', {}, at('2001:db8:1:3::1'))).status).toBe(200)
    expect(['2001:db8::1', '2001:0db8:0:0:1:2:3:4', '::1', '::ffff:10.0.0.1', 'fe80::1%eth0'].map(networkOf)).toEqual([
      '2001:db8:0:0::/64',
      '2001:db8:0:0::/64',
      '0:0:0:0::/64',
      '10.0.0.1',
      'fe80:0:0:0::/64',
    ])
  })

  test('X-Forwarded-For is ignored unless proxies are configured, and then only their entries count', async () => {
    const direct = await createBff({ config: { RATE_LIMITS } })
    for (let i = 0; i < 5; i++)
      await direct.app.request('/who', { headers: { 'x-forwarded-for': `1.1.1.${i}` } }, at('10.0.2.1'))
    expect(
      (await direct.app.request('/who', { headers: { 'x-forwarded-for': '1.1.1.9' } }, at('10.0.2.1'))).status,
    ).toBe(429)
    const proxied = await createBff({ config: { RATE_LIMITS, TRUST_PROXY: 1 } })
    for (let i = 0; i < 5; i++)
      await proxied.app.request('/who', { headers: { 'x-forwarded-for': `9.9.9.${i}, 1.1.1.1` } }, at('10.0.2.2'))
    expect(
      (await proxied.app.request('/who', { headers: { 'x-forwarded-for': '9.9.9.9, 1.1.1.1' } }, at('10.0.2.2')))
        .status,
    ).toBe(429)
    expect(
      (await proxied.app.request('/who', { headers: { 'x-forwarded-for': '1.1.1.2' } }, at('10.0.2.2'))).status,
    ).toBe(200)
  })

  test('an account has a login budget of its own, whoever tries it and wherever from', async () => {
    const bff = await createBff({ config: { RATE_LIMITS } })
    bff.app.post('/try', async (c) => {
      await limitBy(c, 'login', ((await c.req.json()) as { email: string }).email)
      return c.text(clientIp(c))
    })
    const attempt = (email: string, address: string) => bff.app.request('/try', jsonPost({ email }), at(address))
    expect(await (await attempt('a@x', '2001:db8::7')).text()).toBe('2001:db8::7')
    expect((await attempt('a@x', '10.0.4.2')).status).toBe(200)
    expect((await attempt('a@x', '10.0.4.3')).status).toBe(429)
    expect((await attempt('b@x', '10.0.4.3')).status).toBe(200)
    expect((await redis.keys(`rate:${bff.name}:*`)).join()).not.toContain('a@x')
  })

  test('guessing tokens and paths is counted too', async () => {
    const bff = await createBff({ config: { RATE_LIMITS } })
    const statuses = []
    for (let i = 0; i < 6; i++)
      statuses.push(
        (await bff.app.request('/who', { headers: { authorization: `Bearer a.b.${i}` } }, at('10.0.3.1'))).status,
      )
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    for (let i = 0; i < 5; i++) await bff.app.request(`/guess-${i}`, {}, at('10.0.3.2'))
    expect((await bff.app.request('/guess', {}, at('10.0.3.2'))).status).toBe(429)
  })
})

describe('with Redis away', () => {
  test('guests and bearer clients read on uncounted, logins, cookie writes and what is about a person are 503, nothing hangs', async () => {
    const path = await createCuttablePath(redisUrl())
    const client = openRedis({ url: path.url, log })
    const bff = await createBff({ redis: client })
    const { cookie, csrfToken } = await bff.login()
    await path.cut()
    await eventually(() => expect(client.status).not.toBe('ready'))
    const began = performance.now()
    const authorization = `Bearer ${await issuer.sign({})}`
    const statuses = {
      guest: (await bff.get('/who', 'x=1')).status,
      publicWithCookie: (await bff.get('/who', cookie)).status,
      personal: (await bff.get('/mine', cookie)).status,
      personalOfGuest: (await bff.get('/mine', 'x=1')).status,
      bearer: (await bff.app.request('/me', { headers: { authorization } })).status,
      account: (await bff.get('/me', cookie)).status,
      write: (
        await bff.app.request('/write', { method: 'POST', headers: { cookie, 'x-csrf-token': csrfToken, ...ORIGIN } })
      ).status,
      login: (await bff.app.request('/login', jsonPost({ sub: 'u-1' }, ORIGIN))).status,
    }
    expect(statuses).toEqual({
      guest: 200,
      publicWithCookie: 200,
      personal: 503,
      personalOfGuest: 200,
      bearer: 200,
      account: 503,
      write: 503,
      login: 503,
    })
    expect(performance.now() - began).toBeLessThan(1_000)
    client.disconnect()
  })
})
