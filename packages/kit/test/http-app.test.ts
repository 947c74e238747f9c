import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { currentCall } from '../src/call.ts'
import { defineConfig } from '../src/config.ts'
import { AppError, type ErrorStatus } from '../src/errors.ts'
import { pagePolicy } from '../src/http/app.ts'
import { bff } from '../src/http/config.ts'
import { parts } from '../src/http/parts.ts'
import { createRoutes, route } from '../src/http/route.ts'
import {
  addressSchema,
  moneyJson,
  moneySchema,
  pageQuery,
  quantitySchema,
  strict,
  timeSchema,
  uuidSchema,
  z,
} from '../src/http/schemas.ts'
import { createHarness, type Harness, jsonPost, problemOf } from './http-harness.ts'

let harness: Harness
let logged = ''

beforeAll(async () => {
  const sink = new PassThrough().on('data', (chunk) => (logged += chunk))
  harness = await createHarness({ app: { log: pino({ level: 'info' }, sink) as never } })
  harness.app.route('/v1', routes())
  harness.app.get('/own', () => new Response('x', { headers: { 'cache-control': 'public, max-age=5' } }))
  harness.app.use('/app/*', pagePolicy({ 'script-src': 'https://js.stripe.com' }))
  harness.app.get('/app/index.html', (c) => c.html('<p>'))
})
afterAll(() => harness.redis.disconnect())

function routes() {
  const app = createRoutes()
  const item = strict({ sku: z.string().max(20), quantity: quantitySchema })
  app.openapi(
    route({ method: 'post', path: '/items', summary: 'Add', auth: 'public', body: item, response: item, status: 201 }),
    (c) => c.json(c.req.valid('json'), 201),
  )
  app.openapi(
    route({
      method: 'post',
      path: '/notes/{id}',
      summary: 'Keep anything',
      auth: 'public',
      params: z.object({ id: z.string() }),
      body: z.strictObject({ note: z.unknown(), address: addressSchema.optional(), price: moneySchema.optional() }),
      response: z.object({ id: z.string(), note: z.unknown() }),
    }),
    (c) => c.json({ id: c.req.valid('param').id, note: c.req.valid('json').note }, 200),
  )
  app.openapi(
    route({
      method: 'get',
      path: '/list/{id}',
      summary: 'List',
      auth: 'public',
      params: z.object({ id: uuidSchema }),
      query: z.object({ ...pageQuery, q: z.string().max(50).optional() }),
      response: z.object({ size: z.int(), at: timeSchema }),
    }),
    (c) => c.json({ size: c.req.valid('query').page_size, at: new Date(0).toISOString() }, 200),
  )
  app.openapi(
    route({
      method: 'get',
      path: '/product/{slug}',
      summary: 'A product',
      auth: 'public',
      params: z.object({ slug: z.string() }),
      cache: { maxAge: 60, staleWhileRevalidate: 300 },
      response: z.object({ slug: z.string(), caller: z.string(), price: moneySchema }),
    }),
    (c) =>
      c.json(
        {
          slug: c.req.valid('param').slug,
          caller: currentCall()!.caller.kind,
          price: moneyJson({ currency: 'BDT', minor: 5n }),
        },
        200,
      ),
  )
  for (const auth of ['user', 'vendor', 'staff'] as const)
    app.openapi(
      route({ method: 'get', path: `/for/${auth}`, summary: auth, auth, response: z.object({ id: z.string() }) }),
      (c) => c.json({ id: c.get('call').caller.id }, 200),
    )
  app.openapi(
    route({
      method: 'post',
      path: '/orders',
      summary: 'Place',
      auth: 'public',
      rateClass: 'checkout',
      idempotent: true,
      body: strict({}),
      response: z.object({ key: z.string() }),
    }),
    (c) => c.json({ key: c.get('idempotencyKey') }, 200),
  )
  app.openapi(
    route({
      method: 'post',
      path: '/webhook',
      summary: 'Hook',
      auth: 'public',
      rateClass: 'webhook',
      csrf: false,
      upload: { kind: 'raw', accepts: ['application/json'], limitBytes: 1_000 },
      contentType: 'text/plain',
    }),
    (c) => c.text(Buffer.from(c.get('body')).toString('hex')),
  )
  app.openapi(
    route({
      method: 'get',
      path: '/fail/{how}',
      summary: 'Fail',
      auth: 'public',
      params: z.object({ how: z.string() }),
    }),
    (c) => {
      const { how } = c.req.valid('param')
      if (how === 'bug') throw new TypeError('secret detail of a bug')
      if (how === 'text') throw 'a string'
      if (how === 'bigint') throw new AppError('FAILED_PRECONDITION', 'stock_insufficient', 'sold out', { left: 3n })
      throw new AppError(how as ErrorStatus, 'some_problem', 'what happened', { hint: 1 })
    },
  )
  app.openapi(
    route({
      method: 'get',
      path: '/screen',
      summary: 'Screen',
      auth: 'public',
      response: z.object({ reviews: z.array(z.string()), degraded: z.array(z.string()) }),
    }),
    async (c) => {
      const { optional, degraded } = parts()
      const down = Promise.reject(new AppError('UNAVAILABLE', 'service_unavailable', 'review is away'))
      const [reviews] = await Promise.all([
        optional(down, [] as string[], 'reviews'),
        optional(new Promise(() => {}), undefined, 'similar', { withinMs: 5 }),
      ])
      return c.json({ reviews, degraded }, 200)
    },
  )
  return app
}

describe('input', () => {
  const NUL = '\u0000'
  const refused: [title: string, path: string, init: RequestInit | undefined, status: number, code: string][] = [
    ['malformed JSON', '/v1/items', jsonPost('{"sku":'), 400, 'json_malformed'],
    ['a byte order mark', '/v1/items', jsonPost('\ufeff{}'), 400, 'json_malformed'],
    [
      'bytes that are not UTF-8',
      '/v1/items',
      { ...jsonPost(''), body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) },
      400,
      'json_malformed',
    ],
    ['no body', '/v1/items', { method: 'POST', headers: { 'content-type': 'application/json' } }, 400, 'body_required'],
    ['another JSON type', '/v1/items', jsonPost('[]'), 400, 'request_invalid'],
    ['an unknown field', '/v1/items', jsonPost({ sku: 'a', quantity: 1, price: 0 }), 400, 'request_invalid'],
    ['a missing field', '/v1/items', jsonPost({ sku: 'a' }), 400, 'request_invalid'],
    ['a huge number', '/v1/items', jsonPost('{"sku":"a","quantity":1e400}'), 400, 'request_invalid'],
    [
      'a number beyond exact integers',
      '/v1/items',
      jsonPost('{"sku":"a","quantity":123456789012345678901}'),
      400,
      'request_invalid',
    ],
    ['a NUL in a string', '/v1/items', jsonPost({ sku: `a${NUL}b`, quantity: 1 }), 400, 'request_invalid'],
    ['a NUL in a key', '/v1/notes/1', jsonPost({ note: { [`a${NUL}`]: 1 } }), 400, 'request_invalid'],
    ['a lone surrogate', '/v1/notes/1', jsonPost('{"note":"\\ud800"}'), 400, 'request_invalid'],
    ['a __proto__ key', '/v1/notes/1', jsonPost('{"note":{"__proto__":{"admin":true}}}'), 400, 'request_invalid'],
    [
      'deep nesting',
      '/v1/notes/1',
      jsonPost(`{"note":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
      400,
      'request_invalid',
    ],
    ['a body over 64 KiB', '/v1/notes/1', jsonPost({ note: 'x'.repeat(65_600) }), 413, 'body_too_large'],
    ['a 10 MB body', '/v1/notes/1', jsonPost({ note: 'x'.repeat(10_000_000) }), 413, 'body_too_large'],
    [
      'a form',
      '/v1/items',
      { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'sku=a' },
      415,
      'content_type_unsupported',
    ],
    [
      'text/plain',
      '/v1/items',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
      415,
      'content_type_unsupported',
    ],
    [
      'another charset',
      '/v1/items',
      { ...jsonPost('{}'), headers: { 'content-type': 'application/json; charset=utf-16' } },
      415,
      'content_type_unsupported',
    ],
    [
      'a body without a type',
      '/v1/items',
      { method: 'POST', body: Buffer.from('{"sku":"a","quantity":1}') },
      415,
      'content_type_unsupported',
    ],
    ['wrong percent-encoding in the path', '/v1/fail/%zz', undefined, 400, 'url_malformed'],
    ['a path that is not UTF-8', '/v1/fail/%ff%fe', undefined, 400, 'url_malformed'],
    ['a NUL in the path', '/v1/fail/a%00b', undefined, 400, 'url_malformed'],
    ['a NUL in the query', `/v1/list/0197b6d0-0000-7000-8000-000000000000?q=%00`, undefined, 400, 'url_malformed'],
    ['a wrongly encoded query', `/v1/list/0197b6d0-0000-7000-8000-000000000000?q=%`, undefined, 400, 'url_malformed'],
    [
      'a repeated parameter',
      `/v1/list/0197b6d0-0000-7000-8000-000000000000?q=a&q=b`,
      undefined,
      400,
      'request_invalid',
    ],
    ['an id that is none', '/v1/list/7', undefined, 400, 'request_invalid'],
    [
      'a page size that is none',
      `/v1/list/0197b6d0-0000-7000-8000-000000000000?page_size=abc`,
      undefined,
      400,
      'request_invalid',
    ],
    ['an empty page', `/v1/list/0197b6d0-0000-7000-8000-000000000000?page_size=0`, undefined, 400, 'request_invalid'],
    ['an unknown path', '/v1/nothing', undefined, 404, 'route_not_found'],
    ['another method', '/v1/items', undefined, 405, 'method_not_allowed'],
  ]
  test.each(refused)('%s is refused with a 4xx in the error shape', async (_title, path, init, status, code) => {
    const res = await harness.app.request(path, init)
    const error = await problemOf(res)
    expect([res.status, error.code]).toEqual([status, code])
    expect(error.requestId).toBe(res.headers.get('x-request-id'))
    expect(res.headers.get('cache-control')).toBe('no-store')
  })

  test('a refused field is named with the rule it broke', async () => {
    const error = await problemOf(await harness.app.request('/v1/items', jsonPost({ sku: 'a', quantity: 0, extra: 1 })))
    expect(error.details.fields).toEqual([
      expect.objectContaining({ field: 'quantity', rule: 'too_small' }),
      expect.objectContaining({ field: 'extra', rule: 'unknown_field' }),
    ])
    const nested = await problemOf(
      await harness.app.request('/v1/notes/1', jsonPost('{"note":{"a":[{"b":"\\u0000"}]}}')),
    )
    expect(nested.details.fields).toEqual([expect.objectContaining({ field: 'note.a.0.b', rule: 'nul' })])
  })

  test('a wrong method answers the allowed ones', async () => {
    const res = await harness.app.request('/v1/items', { method: 'DELETE' })
    expect([res.status, res.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await harness.app.request('/v1/list/x', { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, HEAD')
  })

  test('a page size above the maximum is clamped, not refused', async () => {
    const res = await harness.app.request('/v1/list/0197b6d0-0000-7000-8000-000000000000?page_size=1000000000')
    expect(await res.json()).toMatchObject({ size: 100 })
  })

  test('odd cookies are a guest, never an error', async () => {
    for (const cookie of [
      '',
      '=',
      ';;;',
      '__Host-sid',
      '__Host-sid=',
      '__Host-sid=%zz',
      `__Host-sid=${'é'.repeat(3)}`,
      '__Host-sid=a; __Host-sid=b',
      'x'.repeat(7_000),
    ])
      expect(
        (await harness.app.request('/v1/screen', { headers: { cookie: Buffer.from(cookie).toString('latin1') } }))
          .status,
      ).toBe(200)
  })

  test('a webhook gets the bytes as they were sent', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x20, 0x0a])
    const res = await harness.app.request('/v1/webhook', { ...jsonPost(''), body: bytes })
    expect(await res.text()).toBe('7bff00200a')
    expect((await harness.app.request('/v1/webhook', jsonPost('x'.repeat(1_001)))).status).toBe(413)
  })

  test('an idempotent route needs a key of 1 to 255 visible characters and hands it on', async () => {
    const post = async (key?: string) =>
      harness.app.request('/v1/orders', jsonPost({}, key === undefined ? {} : { 'idempotency-key': key }))
    expect((await problemOf(await post())).code).toBe('idempotency_key_required')
    for (const key of ['a b', 'x'.repeat(256), 'é'])
      expect((await problemOf(await post(key))).code).toBe('idempotency_key_invalid')
    expect(await (await post('x'.repeat(255))).json()).toEqual({ key: 'x'.repeat(255) })
  })
})

describe('errors', () => {
  test.each([
    ['INVALID_ARGUMENT', 400],
    ['UNAUTHENTICATED', 401],
    ['PERMISSION_DENIED', 403],
    ['NOT_FOUND', 404],
    ['ALREADY_EXISTS', 409],
    ['ABORTED', 409],
    ['FAILED_PRECONDITION', 422],
    ['RESOURCE_EXHAUSTED', 429],
    ['UNAVAILABLE', 503],
    ['DEADLINE_EXCEEDED', 504],
  ])('%s leaves as %i with its code and details', async (status, expected) => {
    const res = await harness.app.request(`/v1/fail/${status}`)
    expect(res.status).toBe(expected)
    expect(await problemOf(res)).toMatchObject({ code: 'some_problem', message: 'what happened', details: { hint: 1 } })
    expect(res.headers.has('retry-after')).toBe([503, 504].includes(expected) || expected === 429)
  })

  test('an unknown error leaves as internal_error, its stack stays in the log', async () => {
    for (const how of ['bug', 'INTERNAL', 'text']) {
      const res = await harness.app.request(`/v1/fail/${how}`)
      expect(res.status).toBe(500)
      expect(await problemOf(res)).toMatchObject({
        code: 'internal_error',
        message: 'something went wrong on our side',
        details: {},
      })
    }
    expect(logged).toContain('secret detail of a bug')
  })

  test('details with exact integers do not break the answer', async () => {
    const res = await harness.app.request('/v1/fail/bigint')
    expect([res.status, (await problemOf(res)).details]).toEqual([422, { left: '3' }])
  })

  test('a screen comes without its broken optional parts and says so', async () => {
    const res = await harness.app.request('/v1/screen')
    expect(await res.json()).toEqual({ reviews: [], degraded: expect.arrayContaining(['reviews', 'similar']) })
  })

  test('a part that was not allowed fails the screen', async () => {
    const { optional } = parts()
    await expect(optional(Promise.reject(new AppError('NOT_FOUND', 'x_missing', '')), 0, 'x')).rejects.toMatchObject({
      code: 'x_missing',
    })
  })
})

describe('every answer', () => {
  test('carries the security headers, also errors and unknown routes', async () => {
    for (const path of ['/v1/screen', '/v1/fail/bug', '/nothing', '/v1/product/a']) {
      const { headers } = await harness.app.request(path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('strict-transport-security')).toContain('max-age=')
    }
  })

  test('keeps a sane request id and replaces another', async () => {
    const send = async (id: string) =>
      (await harness.app.request('/v1/screen', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
    expect(await send('abcd-1234.5:6')).toBe('abcd-1234.5:6')
    expect(await send('short')).not.toBe('short')
    expect(await send('a'.repeat(65))).not.toBe('a'.repeat(65))
    expect(await send('has space {"}')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('is one log line with the route pattern and without query or person', async () => {
    logged = ''
    await harness.app.request('/v1/list/0197b6d0-0000-7000-8000-000000000000?q=canary')
    const line = JSON.parse(logged.trim())
    expect(line).toMatchObject({
      method: 'GET',
      route: '/v1/list/:id',
      status: 200,
      caller: 'anonymous',
      msg: 'request',
    })
    expect(logged).not.toMatch(/canary|0197b6d0/)
  })

  test('lets pages of trusted origins read it, and no others', async () => {
    const ask = async (origin: string, init: RequestInit = {}) =>
      (
        await harness.app.request('/v1/screen', {
          ...init,
          headers: { origin, 'access-control-request-method': 'GET' },
        })
      ).headers
    expect((await ask('https://shop.example')).get('access-control-allow-origin')).toBe('https://shop.example')
    const preflight = await ask('https://shop.example', { method: 'OPTIONS' })
    expect(preflight.get('access-control-allow-methods')).toBe('GET, HEAD')
    expect(preflight.get('access-control-allow-headers')).toContain('X-CSRF-Token')
    for (const origin of ['https://evil.example', 'null', 'https://shop.example.evil.example']) {
      expect((await ask(origin)).get('access-control-allow-origin')).toBeNull()
      expect((await ask(origin, { method: 'OPTIONS' })).get('access-control-allow-methods')).toBeNull()
    }
  })
})

describe('cached reads', () => {
  test('carry a tag and Cache-Control; the same tag answers 304 without a body', async () => {
    const first = await harness.app.request('/v1/product/red-tee')
    expect(first.headers.get('cache-control')).toBe('public, max-age=60, stale-while-revalidate=300')
    const tag = first.headers.get('etag')!
    expect(tag).toMatch(/^W\/"/)
    for (const value of [tag, `"other", ${tag.slice(2)}`, '*']) {
      const second = await harness.app.request('/v1/product/red-tee', { headers: { 'if-none-match': value } })
      expect([second.status, await second.text(), second.headers.get('etag')]).toEqual([304, '', tag])
    }
    expect((await harness.app.request('/v1/product/blue-tee', { headers: { 'if-none-match': tag } })).status).toBe(200)
  })

  test('are the same whoever asks: identity is not looked at, budgets are not shown', async () => {
    const res = await harness.app.request('/v1/product/a', {
      headers: { authorization: `Bearer ${await harness.issuer.sign({})}` },
    })
    expect(await res.json()).toMatchObject({ caller: 'anonymous' })
    expect(res.headers.has('ratelimit-limit')).toBe(false)
  })
})

describe('who may call', () => {
  const as = async (path: string, claims?: object) =>
    harness.app.request(
      path,
      claims ? { headers: { authorization: `Bearer ${await harness.issuer.sign(claims)}` } } : undefined,
    )

  test('user routes refuse guests and tools, vendor routes people without a vendor, staff routes people without a role', async () => {
    const table: [path: string, claims: object | undefined, status: number][] = [
      ['/v1/for/user', undefined, 401],
      ['/v1/for/user', { sub: 'u-9' }, 200],
      ['/v1/for/user', { kind: 'tool' }, 401],
      ['/v1/for/vendor', undefined, 401],
      ['/v1/for/vendor', {}, 403],
      ['/v1/for/vendor', { vendorId: 'v-1' }, 200],
      ['/v1/for/staff', { roles: ['customer', 'vendor_admin'] }, 403],
      ['/v1/for/staff', { roles: ['staff'] }, 200],
      ['/v1/for/staff', { roles: ['super_admin'] }, 200],
    ]
    for (const [path, claims, status] of table)
      expect([path, claims, (await as(path, claims)).status]).toEqual([path, claims, status])
  })

  test('a bad bearer token is refused everywhere it is looked at', async () => {
    for (const authorization of ['Bearer x.y.z', 'Basic abc', 'Bearer', `Bearer ${await harness.issuer.sign({}, -10)}`])
      expect((await harness.app.request('/v1/screen', { headers: { authorization } })).status).toBe(401)
  })

  test('a route mounted where its rules are not enforced answers 500, not its content', async () => {
    const inner = createRoutes()
    inner.openapi(
      route({ method: 'get', path: '/secret', summary: 's', auth: 'staff', contentType: 'text/plain' }),
      (c) => c.text('secret'),
    )
    inner.onError((_error, c) => c.text('own', 500))
    const other = await createHarness({ redis: harness.redis })
    other.app.route('/v1', inner)
    const res = await other.app.request('/v1/secret')
    expect([res.status, (await res.text()).includes('secret')]).toEqual([500, false])
  })

  test('what everybody may keep cannot be declared for signed-in people', () => {
    expect(() => route({ method: 'get', path: '/x', summary: 's', auth: 'user', cache: { maxAge: 1 } })).toThrow(
      /public/,
    )
  })
})

type Operation = { parameters: unknown[]; responses: Record<string, unknown> }
type Document = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: Record<string, unknown>
}

describe('the document', () => {
  test('is OpenAPI 3.1 with every route, its schemas, its errors and who may call it', async () => {
    const res = await harness.app.request('/openapi.json')
    const doc = (await res.json()) as Document
    expect(doc.openapi).toBe('3.1.0')
    expect(Object.keys(doc.paths)).toEqual(expect.arrayContaining(['/v1/items', '/v1/notes/{id}', '/v1/orders']))
    expect(doc.paths['/v1/orders']!.post!.parameters).toEqual([
      expect.objectContaining({ name: 'Idempotency-Key', required: true }),
    ])
    expect(doc.paths['/v1/for/staff']!.get).toMatchObject({
      'x-auth': 'staff',
      security: [{ session: [] }, { bearer: [] }],
    })
    expect(Object.keys(doc.paths['/v1/items']!.post!.responses)).toEqual(
      expect.arrayContaining(['201', '400', '413', '429', '503']),
    )
    expect(doc.components.schemas).toMatchObject({ Error: {}, Money: {}, Address: { additionalProperties: false } })
    expect(doc.components.securitySchemes).toHaveProperty('session')
  })

  test('has a page that loads nothing from elsewhere', async () => {
    const res = await harness.app.request('/docs')
    const html = await res.text()
    expect(res.headers.get('content-security-policy')).toMatch(/script-src 'sha256-/)
    expect(html).not.toMatch(/(?:src|href)=|https?:\/\//)
  })
})

describe('the call', () => {
  test('gives the handler identity, deadline and a signal that follows the client', async () => {
    const slow = async (timeoutMs: number, init: RequestInit = {}) => {
      const other = await createHarness({ redis: harness.redis, config: { REQUEST_TIMEOUT_MS: timeoutMs } })
      const app = createRoutes()
      app.openapi(route({ method: 'get', path: '/slow', summary: 's', auth: 'public' }), async (c) => {
        const call = currentCall()!
        expect(call).toBe(c.get('call'))
        expect(call.deadline - Date.now()).toBeLessThanOrEqual(timeoutMs)
        if (!call.signal.aborted)
          await new Promise((resolve) => call.signal.addEventListener('abort', () => resolve(undefined)))
        throw call.signal.reason
      })
      other.app.route('/', app)
      return other.app.request('/slow', init)
    }
    const late = await slow(40)
    expect([late.status, (await problemOf(late)).code]).toEqual([504, 'deadline_exceeded'])
    const client = new AbortController()
    const left = slow(60_000, { signal: client.signal })
    client.abort()
    expect((await left).status).toBe(499)
  })

  test('more work than the process may take on is refused at once with 503 and Retry-After; checkouts go on, and so does all when there is room', async () => {
    const other = await createHarness({ redis: harness.redis, config: { MAX_IN_FLIGHT: 4 } })
    const app = createRoutes()
    const held: (() => void)[] = []
    let isOpen = false
    const hold = async (c: { body(data: null, status: 204): Response }) => {
      if (!isOpen) await new Promise<void>((resolve) => held.push(resolve))
      return c.body(null, 204)
    }
    const browse = route({ method: 'get', path: '/browse', summary: 's', auth: 'public' })
    const order = route({ method: 'post', path: '/order', summary: 's', auth: 'public', rateClass: 'checkout' })
    app.openapi(browse, hold as never).openapi(order, hold as never)
    other.app.route('/', app)
    const get = () => other.app.request('/browse')

    const working = [get(), get(), get()]
    await vi.waitFor(() => expect(held).toHaveLength(3))
    // Two of these wait for a place, for a quarter of a second at most; the others hear at once that there is none.
    const answers: Response[] = []
    const more = Array.from({ length: 5 }, async () => answers.push(await get()))
    await vi.waitFor(() => expect(answers.length).toBeGreaterThanOrEqual(3))
    expect(held).toHaveLength(3)
    for (const answer of answers) {
      expect([answer.status, (await problemOf(answer)).code]).toEqual([503, 'overloaded'])
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    const checkout = other.app.request('/order', { method: 'POST' })
    await vi.waitFor(() => expect(held).toHaveLength(4))
    isOpen = true
    for (const release of held) release()
    expect((await checkout).status).toBe(204)
    for (const answer of working) expect((await answer).status).toBe(204)
    await Promise.all(more)
    expect((await get()).status).toBe(204)
  })

  test('a store that is away is 503 with Retry-After, not our mistake; so is a deadline that passed 504', async () => {
    const other = await createHarness({ redis: harness.redis })
    const app = createRoutes()
    const get = (path: string, error: Error) =>
      app.openapi(route({ method: 'get', path, summary: 's', auth: 'public' }), async () => {
        throw error
      })
    get('/refused', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
    get('/late', new DOMException('late', 'TimeoutError'))
    other.app.route('/', app)
    const away = await other.app.request('/refused')
    expect([away.status, away.headers.get('retry-after'), (await problemOf(away)).code]).toEqual([
      503,
      '1',
      'store_unavailable',
    ])
    const late = await other.app.request('/late')
    expect([late.status, late.headers.get('retry-after')]).toEqual([504, '1'])
  })

  test('a handler that answers with a Response of its own still carries ids and security headers', async () => {
    const { headers } = await harness.app.request('/own', { method: 'HEAD' })
    expect(headers.get('x-request-id')).toBeTruthy()
    expect([headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual([
      'nosniff',
      'public, max-age=5',
    ])
  })

  test('a page of the web app may run its own scripts and what is listed', async () => {
    const policy = (await harness.app.request('/app/index.html')).headers.get('content-security-policy')
    expect(policy).toContain("script-src 'self' https://js.stripe.com")
  })

  test('money that a JSON number cannot hold is refused instead of rounded', () => {
    expect(() => moneyJson({ currency: 'BDT', minor: 9_007_199_254_740_993n })).toThrow(RangeError)
  })
})

describe('configuration', () => {
  const load = defineConfig('bff', bff)
  const env = { REDIS_URL: 'redis://r', SESSION_SECRET: 'x'.repeat(32) }

  test('is safe by default', () => {
    expect(load(env)).toMatchObject({ COOKIE_SECURE: true, TRUST_PROXY: 0, ALLOWED_ORIGINS: [], RATE_LIMITS: {} })
    expect(load({ ...env, ALLOWED_ORIGINS: 'https://a.example/, https://b.example' }).ALLOWED_ORIGINS).toEqual([
      'https://a.example',
      'https://b.example',
    ])
  })

  test('names a weak secret and an unreadable budget', () => {
    for (const RATE_LIMITS of ['{', '[]', '{"read":{"address":"many"}}', '{"read":{"adress":"1/1"}}'])
      expect(() => load({ ...env, RATE_LIMITS, SESSION_SECRET: 'short' })).toThrow(/SESSION_SECRET.*RATE_LIMITS/s)
  })
})
