import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdminServer } from '../src/http/admin-server.ts'
import { bodyStream } from '../src/http/input.ts'
import { createRoutes, route } from '../src/http/route.ts'
import { z } from '../src/http/schemas.ts'
import { type HttpServer, serveHttp } from '../src/http/serve.ts'
import { createHarness, eventually, type Harness, log, problemOf } from './http-harness.ts'

let harness: Harness
let server: HttpServer
/** Requests that wait inside their handler until let go. */
const waiting: (() => void)[] = []
let aborted = 0

beforeAll(async () => {
  harness = await createHarness()
  const app = createRoutes()
  app.openapi(
    route({ method: 'get', path: '/wait', summary: 'w', auth: 'public', response: z.object({ ok: z.boolean() }) }),
    async (c) => {
      c.get('call').signal.addEventListener('abort', () => aborted++)
      await new Promise<void>((resolve) => waiting.push(resolve))
      return c.json({ ok: true }, 200)
    },
  )
  app.openapi(
    route({
      method: 'post',
      path: '/echo',
      summary: 'e',
      auth: 'public',
      body: z.strictObject({ text: z.string() }),
      response: z.object({ text: z.string() }),
    }),
    (c) => c.json(c.req.valid('json'), 200),
  )
  app.openapi(
    route({
      method: 'post',
      path: '/import',
      summary: 'i',
      auth: 'public',
      upload: { kind: 'stream', accepts: ['text/csv'], limitBytes: 1_000_000 },
      response: z.object({ bytes: z.int() }),
    }),
    async (c) => {
      let bytes = 0
      for await (const chunk of bodyStream(c, 1_000_000)) bytes += chunk.byteLength
      return c.json({ bytes }, 200)
    },
  )
  app.openapi(
    route({
      method: 'post',
      path: '/upload',
      summary: 'u',
      auth: 'public',
      upload: { kind: 'form', accepts: ['multipart/form-data'], limitBytes: 200_000 },
      response: z.object({ size: z.int() }),
    }),
    async (c) => c.json({ size: ((await c.req.parseBody()).file as File).size }, 200),
  )
  harness.app.route('/', app)
  server = await serveHttp({ app: harness.app, port: 0, host: '127.0.0.1', log })
})
afterAll(async () => {
  await server.close()
  harness.redis.disconnect()
})

/** Sends bytes as they are and answers what came back before the connection ended. */
const raw = (text: string | Buffer, port = server.port): Promise<string> =>
  new Promise((resolve) => {
    let answer = ''
    connect(port, '127.0.0.1', function (this: import('node:net').Socket) {
      this.write(text)
    })
      .on('data', (chunk) => (answer += chunk))
      .on('error', () => resolve(answer))
      .on('close', () => resolve(answer))
  })

const chunked = (path: string, type: string, pieces: number, size: number) =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new ReadableStream({
      pull(controller) {
        if (pieces-- > 0) controller.enqueue(Buffer.alloc(size, 'x'))
        else controller.close()
      },
    }),
    duplex: 'half',
  } as RequestInit)

describe('over a real connection', () => {
  test('a body arrives whole, declared or chunked', async () => {
    const text = 'ঢাকা '.repeat(1_000)
    const declared = await fetch(`${server.url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    })
    expect(await declared.json()).toEqual({ text })
    const stream = new Blob([JSON.stringify({ text })]).stream()
    const undeclared = await fetch(`${server.url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    } as RequestInit)
    expect(await undeclared.json()).toEqual({ text })
  })

  test('a body over the limit is 413, whether its length is declared or not', async () => {
    const declared = await fetch(`${server.url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.alloc(10_000_000, 'x'),
    })
    expect([declared.status, (await problemOf(declared)).code]).toEqual([413, 'body_too_large'])
    const undeclared = await chunked('/echo', 'application/json', 20, 10_000)
    expect(undeclared.status).toBe(413)
  })

  test('uploads and imports have limits of their own; a form must declare its length', async () => {
    expect(await (await chunked('/import', 'text/csv', 9, 100_000)).json()).toEqual({ bytes: 900_000 })
    expect((await chunked('/import', 'text/csv', 11, 100_000)).status).toBe(413)
    const form = new FormData()
    form.set('file', new Blob([Buffer.alloc(100_000)]), 'a.png')
    expect(await (await fetch(`${server.url}/upload`, { method: 'POST', body: form })).json()).toEqual({
      size: 100_000,
    })
    expect((await chunked('/upload', 'multipart/form-data; boundary=x', 1, 100)).status).toBe(411)
  })

  test('what no parser accepts is a 4xx in the error shape', async () => {
    const table: [bytes: string | Buffer, status: string, code: string][] = [
      ['NOT HTTP AT ALL\r\n\r\n', '400', 'request_malformed'],
      ['GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', '400', 'request_malformed'],
      ['GET http:// HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '400', 'request_malformed'],
      ['GET /a\\b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '400', 'request_malformed'],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431', 'headers_too_large'],
      ['GET /wait%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '400', 'url_malformed'],
      ['GET //evil HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '404', 'route_not_found'],
      ['TRACE /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '405', 'method_not_allowed'],
      [
        Buffer.from('GET /\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'latin1'),
        '400',
        'request_malformed',
      ],
      [
        Buffer.from(
          'GET /nowhere HTTP/1.1\r\nHost: a\r\nCookie: __Host-sid=\xff\xfe\r\nConnection: close\r\n\r\n',
          'latin1',
        ),
        '404',
        'route_not_found',
      ],
    ]
    for (const [bytes, status, code] of table) {
      const answer = await raw(bytes)
      expect([bytes.toString().slice(0, 30), answer.slice(9, 12), answer.includes(`"${code}"`)]).toEqual([
        bytes.toString().slice(0, 30),
        status,
        true,
      ])
    }
  })

  test('a client that leaves aborts the call', async () => {
    const before = aborted
    const client = new AbortController()
    const pending = fetch(`${server.url}/wait`, { signal: client.signal }).catch(() => 'left')
    await eventually(() => expect(waiting).toHaveLength(1))
    client.abort()
    expect(await pending).toBe('left')
    await eventually(() => expect(aborted).toBe(before + 1))
    waiting.pop()!()
  })
})

describe('closing', () => {
  test('lets answers in flight finish, tells them to close, drops idle connections and takes no new ones', async () => {
    const own = await serveHttp({ app: harness.app, port: 0, host: '127.0.0.1', log })
    const agent = new Agent({ keepAlive: true })
    const get = (path: string) =>
      new Promise<{ status: number; connection: string | undefined }>((resolve, reject) =>
        request(`${own.url}${path}`, { agent }, (res) =>
          res.resume().on('end', () => resolve({ status: res.statusCode!, connection: res.headers.connection })),
        )
          .on('error', reject)
          .end(),
      )
    expect((await get('/nothing')).connection).toBe('keep-alive')
    const idle = connect(own.port, '127.0.0.1')
    const idleClosed = new Promise((resolve) => idle.on('close', resolve))
    const inFlight = get('/wait')
    await eventually(() => expect(waiting).toHaveLength(1))
    let closed = false
    const closing = own.close().then(() => (closed = true))
    await idleClosed
    await expect(fetch(own.url)).rejects.toThrow()
    expect(closed).toBe(false)
    waiting.pop()!()
    expect(await inFlight).toEqual({ status: 200, connection: 'close' })
    await closing
    agent.destroy()
  })

  test('answers requests that were on their way on open connections, and ends each connection with its answer', async () => {
    const own = await serveHttp({ app: harness.app, port: 0, host: '127.0.0.1', log, drainMs: 10_000 })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const get = () =>
      new Promise<[number, string | undefined, boolean]>((resolve, reject) => {
        const asked = request(`${own.url}/nothing`, { agent }, (res) =>
          res.resume().on('end', () => resolve([res.statusCode!, res.headers.connection, asked.reusedSocket])),
        )
        asked.on('error', reject).end()
      })
    expect(await get()).toEqual([404, 'keep-alive', false])
    const closing = own.close()
    expect(await get()).toEqual([404, 'close', true])
    await closing
    agent.destroy()
  })

  test('cuts off what does not finish within the grace period', async () => {
    const own = await serveHttp({ app: harness.app, port: 0, host: '127.0.0.1', log, graceMs: 50 })
    const stuck = fetch(`${own.url}/wait`).catch(() => 'cut')
    await eventually(() => expect(waiting).toHaveLength(1))
    await own.close()
    expect(await stuck).toBe('cut')
    waiting.pop()!()
  })
})

describe('the admin port', () => {
  test('answers metrics, liveness whatever the dependencies, and readiness', async () => {
    let ok = true
    const admin = await startAdminServer({
      host: '127.0.0.1',
      port: 0,
      metricsText: async () => 'up 1\n',
      ready: async () => ({ ok, checks: { grpc: ok ? 'serving' : 'stopping' } }),
    })
    const get = async (path: string) => {
      const res = await fetch(`http://127.0.0.1:${admin.port}${path}`)
      return [res.status, await res.text()]
    }
    expect(await get('/metrics')).toEqual([200, 'up 1\n'])
    expect(await get('/livez')).toEqual([200, '{"ok":true}'])
    expect(await get('/readyz')).toEqual([200, '{"ok":true,"checks":{"grpc":"serving"}}'])
    ok = false
    expect((await get('/readyz'))[0]).toBe(503)
    expect((await get('/livez'))[0]).toBe(200)
    expect((await get('/'))[0]).toBe(404)
    await admin.close()
  })

  test('is not ready when the check itself fails, and a taken port is an error', async () => {
    const failing = async () => Promise.reject(new Error('broken'))
    const admin = await startAdminServer({ host: '127.0.0.1', port: 0, metricsText: failing, ready: failing })
    expect((await fetch(`http://127.0.0.1:${admin.port}/readyz`)).status).toBe(503)
    await expect(
      startAdminServer({ host: '127.0.0.1', port: admin.port, metricsText: failing, ready: failing }),
    ).rejects.toThrow(/EADDRINUSE/)
    await admin.close()
  })
})

// The kernel holds no more than its own limit of them, which is 128 on old systems.
const limit = process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')) : 0

test.skipIf(limit < 1_000)(
  'a crowd that comes while the server is busy waits to be accepted, and is not dropped',
  () => {
    const crowd = 700
    const connected = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(
      `const { workerData: { port, connected, crowd } } = require('node:worker_threads')
    for (let i = 0; i < crowd; i++)
      require('node:net').connect(port, '127.0.0.1').on('error', () => {}).on('connect', () => {
        if (Atomics.add(connected, 0, 1) + 1 === crowd) Atomics.notify(connected, 0)
      })`,
      { eval: true, workerData: { port: server.port, connected, crowd } },
    )
    const giveUpAt = Date.now() + 10_000
    // Nothing is accepted here meanwhile: this thread waits.
    for (let seen = 0; seen < crowd && Date.now() < giveUpAt; seen = Atomics.load(connected, 0))
      Atomics.wait(connected, 0, seen, 200)
    void worker.terminate()
    expect(Atomics.load(connected, 0)).toBe(crowd)
  },
)
