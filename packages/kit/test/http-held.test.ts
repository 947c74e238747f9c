import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHeldPages, HOLD_MS } from '../src/http/held-pages.ts'
import { createRateLimiter } from '../src/http/rate-limit.ts'
import { createRoutes, route } from '../src/http/route.ts'
import { z } from '../src/http/schemas.ts'
import { type HttpServer, serveHttp } from '../src/http/serve.ts'
import { createHarness, type Harness, log } from './http-harness.ts'

let harness: Harness
let server: HttpServer
let logged = ''
let made = 0
const observed: object[] = []

beforeAll(async () => {
  const sink = new PassThrough().on('data', (chunk) => (logged += chunk))
  const observe = ({ seconds: _, ...answer }: { seconds: number }) => observed.push(answer)
  harness = await createHarness({
    app: { log: pino({ level: 'info' }, sink) as never, observe },
    config: { RATE_LIMITS: { read: { address: '1000/86400' } } },
  })
  const routes = createRoutes()
  const cached = {
    auth: 'public',
    response: z.object({ madeAt: z.number(), n: z.int(), title: z.string() }),
    cache: { maxAge: 1 },
  } as const
  routes.openapi(
    route({ ...cached, method: 'get', path: '/page/{name}', summary: 'p', params: z.object({ name: z.string() }) }),
    async (c) => {
      const title = 'দার্জিলিং thé 茶 🍵'.repeat(c.req.path.includes('/long') ? 100 : 1)
      const page = { madeAt: Date.now(), n: ++made, title }
      await new Promise((resolve) => setImmediate(resolve))
      return c.json(page, 200)
    },
  )
  harness.app.route('/v1', routes)
  server = await serveHttp({ app: harness.app, port: 0, host: '127.0.0.1', log })
})
afterAll(async () => {
  await server.close()
  harness.redis.disconnect()
})

const ask = async (path: string, headers: Record<string, string> = {}) => {
  const res = await fetch(`${server.url}/v1${path}`, { headers })
  const { 'x-request-id': requestId, date: _date, ...rest } = Object.fromEntries(res.headers)
  return { status: res.status, requestId, headers: rest, text: await res.text() }
}

test('a page in hand is answered, logged and measured like one that is made', async () => {
  const first = await ask('/page/same')
  expect(first.text).toContain('দার্জিলিং thé 茶 🍵')
  // Where nothing is counted in advance they go the long way through the app, else the short one: nobody can tell.
  const others = await Promise.all(Array.from({ length: 30 }, () => ask('/page/same')))
  for (const other of others) {
    const { age, ...headers } = other.headers
    expect({ ...other, requestId: '', headers }).toEqual({ ...first, requestId: '' })
    expect(age).toMatch(/^[12]$/)
  }
  expect(made).toBe(1)
  expect(new Set(others.map(({ requestId }) => requestId)).size).toBe(30)
  for (const { requestId } of others) expect(logged).toContain(requestId)
  expect(observed).toHaveLength(31)
  expect(new Set(observed.map((answer) => JSON.stringify(answer))).size).toBe(1)

  const fresh = await ask('/page/same', { 'if-none-match': first.headers.etag! })
  expect([fresh.status, fresh.text, fresh.headers.etag]).toEqual([304, '', first.headers.etag])
  expect((await ask('/page/same', { 'x-request-id': 'chosen-by-them' })).requestId).toBe('chosen-by-them')
})

/** An answer as it came, and what it says when it is unpacked. */
const askRaw = async (path: string, acceptEncoding?: string) => {
  const headers = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding }
  const [res] = (await once(get(`${server.url}/v1${path}`, { headers }), 'response')) as [IncomingMessage]
  const bytes = await buffer(res)
  expect(Number(res.headers['content-length'])).toBe(bytes.length)
  const encoding = res.headers['content-encoding']
  return { res, encoding, bytes, text: String(encoding === 'gzip' ? gunzipSync(bytes) : bytes) }
}

test('a page goes out gzipped to whoever takes that, and says the same to everybody', async () => {
  const takes = ['gzip', 'GZIP', 'gzip, deflate, br, zstd', 'br;q=1.0,gzip;q=0.5', 'identity , gzip ; q=1']
  const takesNot = [undefined, '', 'identity', 'br', 'gzip;q=0', 'deflate, gzip;q=0.000', 'notgzip', 'gzipped']
  // Made for each of them in turn, then twice from hand.
  for (const [at, [acceptEncoding, encoding]] of [
    ...takes.map((header) => [header, 'gzip'] as const),
    ...takesNot.map((header) => [header, undefined] as const),
  ].entries()) {
    const first = await askRaw(`/page/long?at=${at}`, acceptEncoding)
    const others = await Promise.all(
      [first.encoding, 'gzip', undefined].map((own) => askRaw(`/page/long?at=${at}`, own)),
    )
    expect([acceptEncoding, first.encoding]).toEqual([acceptEncoding, encoding])
    expect(others.map((other) => other.encoding)).toEqual([encoding, 'gzip', undefined])
    for (const { res, text } of [first, ...others]) {
      expect(text).toContain('দার্জিলিং thé 茶 🍵')
      expect(text).toBe(first.text)
      expect(res.headers.vary).toBe('Origin, Accept-Encoding')
      expect(res.headers.etag).toBe(first.res.headers.etag)
    }
    expect(others[1]!.bytes.length * 4).toBeLessThan(others[2]!.bytes.length)
  }
  expect((await askRaw('/page/short', 'gzip')).encoding).toBeUndefined()
})

test('however many ask for a page at once, one of them makes it', async () => {
  const before = made
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask('/page/crowd')))
  expect(made - before).toBe(1)
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
})

test('another query is another page, and an error is not kept', async () => {
  const numbers = await Promise.all(
    ['?a=1', '?a=2', '?a=1&b=2'].map(async (query) => (await ask(`/page/q${query}`)).text),
  )
  expect(new Set(numbers).size).toBe(3)
  const missing = await ask('/nothing')
  expect([missing.status, (await ask('/nothing')).status, missing.requestId === undefined]).toEqual([404, 404, false])
})

test('no page that is answered is older than the bound', async () => {
  const seen = new Set<number>()
  while (seen.size < 2) {
    const askedAt = Date.now()
    const { madeAt, n } = JSON.parse((await ask('/page/old')).text) as { madeAt: number; n: number }
    seen.add(n)
    // Two clocks, each in whole milliseconds.
    expect(askedAt - madeAt).toBeLessThanOrEqual(HOLD_MS + 2)
    // At a pace that leaves most of the day's budget to the tests below, however fast the machine.
    await setTimeout(10)
  }
})

test('what is in hand is bounded; the oldest goes first', () => {
  const pages = createHeldPages({ maxBytes: 1_000 })
  const page = {
    route: '/',
    rateClass: 'read',
    body: 'x'.repeat(300),
    tag: '',
    contentType: '',
    cacheControl: '',
  } as const
  for (const name of ['a', 'b', 'c', 'd']) pages.put(name, { ...page, startedAt: performance.now() })
  expect(['a', 'b', 'c', 'd'].filter((name) => pages.get(name))).toEqual(['b', 'c', 'd'])
  pages.put('huge', { ...page, body: 'x'.repeat(2_000), startedAt: performance.now() })
  pages.put('late', { ...page, startedAt: performance.now() - HOLD_MS })
  expect(['huge', 'late', 'd'].filter((name) => pages.get(name))).toEqual(['d'])
})

test('pages in hand count: whoever asks too often is refused, whichever way the answer would come', async () => {
  const statuses = new Map<number, number>()
  for (let left = 1_500; left > 0; left -= 50)
    for (const { status } of await Promise.all(Array.from({ length: 50 }, () => ask('/page/often'))))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
  expect(statuses.get(200)).toBeLessThanOrEqual(1_000)
  expect(statuses.get(429)).toBeGreaterThanOrEqual(500)
}, 60_000)

test.each([
  [10, 10],
  [2_000, 1_950],
])(
  'instances that share a budget of %i let through no more of it together, and nearly all of it',
  async (count, least) => {
    const name = `shared-${randomUUID()}`
    const settings = { '*': { address: `${count}/86400` } }
    const limiters = [1, 2].map(() => createRateLimiter({ redis: harness.redis, name, log, settings }))
    let passed = 0
    for (let round = 0; round < count / 10 + 5; round++)
      await Promise.all(
        limiters.flatMap((limiter) =>
          Array.from({ length: 10 }, () =>
            limiter.take('read', '10.0.0.1', undefined).then(
              () => passed++,
              () => undefined,
            ),
          ),
        ),
      )
    expect(passed).toBeLessThanOrEqual(count)
    expect(passed).toBeGreaterThanOrEqual(least)
  },
)
