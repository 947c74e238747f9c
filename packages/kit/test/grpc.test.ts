import { execFile } from 'node:child_process'
import { createServer as createTcpServer, connect as tcpConnect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  AdjustReason,
  type InventoryServiceClient,
  InventoryServiceDefinition,
} from '@haat/proto/inventory/v1/inventory'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { createChannel, createClient, Metadata } from 'nice-grpc'
import { HealthDefinition } from 'nice-grpc-server-health'
import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { createVerifier, TOKEN_AUDIENCE, TOKEN_TYPE, type TokenClaims } from '../src/auth.ts'
import { type Call, inCall, systemCall } from '../src/call.ts'
import { AppError, failedPrecondition } from '../src/errors.ts'
import { createClients } from '../src/grpc-client.ts'
import { type GrpcServer, HEADERS, startGrpcServer, type TsProtoService } from '../src/grpc-server.ts'
import { newId } from '../src/id.ts'
import { createMetrics } from '../src/metrics.ts'

// A real contract: GetStock is public, SetStock for the vendor or staff, Commit for services only.
type Handler = (ctx: object, request: Record<string, unknown>, call: Call) => unknown

const logged: Record<string, unknown>[] = []
const log = pino({ level: 'info' }, { write: (line: string) => logged.push(JSON.parse(line)) })
const signing = await generateKeyPair('EdDSA')
const foreign = await generateKeyPair('EdDSA')
const jwk = { ...(await exportJWK(signing.publicKey)), kid: 'k', alg: 'EdDSA' }
const verify = createVerifier({ issuer: 'haat', fetchJwks: async () => ({ keys: [jwk] }) })

const releases: (() => unknown)[] = []
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release()
  logged.length = 0
})

async function serve(handlers: Record<string, Handler>, graceMs = 5_000, maxInFlight = 100): Promise<GrpcServer> {
  const unexpected = (name: string) => () => {
    throw new Error(`${name} was called`)
  }
  const server = await startGrpcServer({
    name: 'inventory',
    services: [
      {
        definition: InventoryServiceDefinition,
        table: Object.fromEntries(
          Object.keys(InventoryServiceDefinition.methods).map((name) => [name, handlers[name] ?? unexpected(name)]),
        ),
      },
    ],
    ctx: {},
    verify,
    host: '127.0.0.1',
    port: 0,
    log,
    metrics: createMetrics('inventory'),
    graceMs,
    maxInFlight,
  })
  releases.push(() => server.drain())
  return server
}

function connect(server: GrpcServer, options: { serviceToken?: string; timeoutMs?: number } = {}) {
  const { serviceToken } = options
  const clients = createClients(serviceToken ? { serviceToken: async () => serviceToken } : {})
  releases.push(() => clients.close())
  return clients.connect<InventoryServiceClient>(InventoryServiceDefinition, `127.0.0.1:${server.port}`, {
    timeoutMs: options.timeoutMs ?? 5_000,
  })
}

const sign = (
  claims: Partial<TokenClaims>,
  but: { key?: typeof signing.privateKey; audience?: string; issuer?: string; typ?: string; expires?: number } = {},
) =>
  new SignJWT({ kind: 'user', jti: newId(), ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k', typ: but.typ ?? TOKEN_TYPE })
    .setIssuer(but.issuer ?? 'haat')
    .setAudience(but.audience ?? TOKEN_AUDIENCE)
    .setSubject(claims.sub ?? newId())
    .setIssuedAt()
    .setExpirationTime(but.expires ?? Math.floor(Date.now() / 1000) + 600)
    .sign(but.key ?? signing.privateKey)

const as = (token: string) => ({ metadata: Metadata({ [HEADERS.authorization]: `Bearer ${token}` }) })
const failureOf = (work: Promise<unknown>): Promise<AppError> =>
  work.then(
    () => {
      throw new Error('it was answered')
    },
    (error) => error as AppError,
  )

const vendorId = newId()
const setStock = (more: object = {}) => ({ vendorId, sku: 'TEA-1', productId: newId(), onHand: 1, ...more })

test('an RPC without a rule, or without an implementation, keeps the server from starting', async () => {
  const start = (definition: TsProtoService) =>
    startGrpcServer({
      name: 'x',
      services: [{ definition, table: { check: () => ({}) } }],
      ctx: {},
      verify,
      host: '127.0.0.1',
      port: 0,
      log,
      metrics: createMetrics('x'),
      graceMs: 0,
    })
  const { check } = HealthDefinition.methods
  const unruled = { name: 'Health', fullName: 'grpc.health.v1.Health', methods: { check } }
  await expect(start(unruled as never)).rejects.toThrow('grpc.health.v1.Health/Check declares no authorization rule')
  await expect(start(InventoryServiceDefinition)).rejects.toThrow('GetStock is not implemented')
})

test('a request that breaks the contract is refused with its fields before any handler sees it', async () => {
  const server = await serve({})
  const bad = await failureOf(connect(server).getStock({ sku: 'no spaces, please' }))
  expect(bad).toMatchObject({ status: 'INVALID_ARGUMENT', code: 'request_invalid' })
  expect(bad.details.fields).toMatchObject([{ field: 'sku', rule: 'string.pattern' }])

  const owner = as(await sign({ vendorId, vendorPermissions: ['*'] }))
  const request = setStock({ onHand: -1, productId: 'x' })
  const several = await failureOf(connect(server).setStock(request, owner))
  expect((several.details.fields as { field: string }[]).map(({ field }) => field)).toEqual(['product_id', 'on_hand'])
  // A stranger learns nothing about the rules.
  expect(await failureOf(connect(server).setStock(request))).toMatchObject({ code: 'login_required', details: {} })
})

test('however much is wrong with a request, its refusal fits the wire, and other calls on the connection go on', async () => {
  const server = await serve({
    getStock: () => {
      throw failedPrecondition('stock_odd', 'x'.repeat(100_000), { all: 'y'.repeat(100_000) })
    },
  })
  const client = connect(server)
  const skus = Array.from({ length: 1_000 }, () => 'no spaces, please')
  const wrong = await failureOf(client.batchGetStock({ skus }))
  expect(wrong).toMatchObject({ status: 'INVALID_ARGUMENT', code: 'request_invalid' })
  expect(wrong.details.fields).toHaveLength(20)
  const odd = await failureOf(client.getStock({ sku: 'A' }))
  expect(odd).toMatchObject({ status: 'FAILED_PRECONDITION', code: 'stock_odd', details: {} })
  expect(odd.message).toHaveLength(1_000)
  expect(await failureOf(client.getStock({ sku: ' ' }))).toMatchObject({ code: 'request_invalid' })
})

test('bytes that are no message are refused as bad input', async () => {
  const server = await serve({})
  const channel = createChannel(`127.0.0.1:${server.port}`)
  releases.push(() => channel.close())
  const { getStock } = InventoryServiceDefinition.methods
  const raw = createClient(
    {
      getStock: {
        path: '/haat.inventory.v1.InventoryService/GetStock',
        requestStream: false,
        responseStream: false,
        options: {},
        requestSerialize: () => Buffer.from([0x0a, 0xff]),
        responseDeserialize: (bytes: Uint8Array) => getStock.responseType.decode(bytes),
      } as never,
    },
    channel,
  ) as unknown as { getStock(request: object): Promise<unknown> }
  await expect(raw.getStock({})).rejects.toMatchObject({ code: 3 })
})

test('an unexpected error leaves as INTERNAL with the request id only; the log has the rest', async () => {
  const server = await serve({
    getStock: () => {
      throw new Error('relation "secrets" does not exist')
    },
  })
  const failure = await failureOf(connect(server).getStock({ sku: 'TEA-1' }))
  expect(failure).toMatchObject({ status: 'INTERNAL', code: 'internal_error' })
  expect(Object.keys(failure.details)).toEqual(['requestId'])
  expect(JSON.stringify([failure.message, failure.details])).not.toContain('secrets')
  const line = logged.find(({ requestId, err }) => requestId === failure.details.requestId && err)!
  expect((line.err as Error).stack).toContain('relation "secrets" does not exist')
})

test('status, code and details of an error are the same two hops away', async () => {
  const far = await serve({
    getStock: () => {
      throw failedPrecondition('stock_insufficient', 'only 3 left', { sku: 'TEA-1', available: 3 })
    },
  })
  const neighbour = connect(far)
  const near = await serve({ getStock: (_ctx, request) => neighbour.getStock(request as { sku: string }) })
  const failure = await failureOf(connect(near).getStock({ sku: 'TEA-1' }))
  expect(failure).toBeInstanceOf(AppError)
  expect(failure).toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'stock_insufficient',
    message: 'only 3 left',
    details: { sku: 'TEA-1', available: 3 },
  })
})

test('the person, the calling service and the request id travel along', async () => {
  let seen: Call | undefined
  const far = await serve({
    getStock: (_ctx, _request, call) => {
      seen = call
      return {}
    },
  })
  let first: Call | undefined
  const neighbour = connect(far, { serviceToken: await sign({ sub: 'order', kind: 'service' }) })
  const near = await serve({
    getStock: (_ctx, _request, call) => {
      first = call
      return neighbour.getStock({ sku: 'TEA-1' })
    },
  })
  const userId = newId()
  await connect(near).getStock({ sku: 'TEA-1' }, as(await sign({ sub: userId })))
  expect(first).toMatchObject({ caller: { id: userId }, service: undefined })
  expect(seen).toMatchObject({ caller: { kind: 'user', id: userId }, service: 'order', requestId: first!.requestId })
})

test('a deadline shrinks hop by hop, and one that is nearly over is not spent on a call', async () => {
  const left: number[] = []
  const far = await serve({
    getStock: (_ctx, _request, call) => {
      left.push(call.deadline - Date.now())
      return {}
    },
  })
  const neighbour = connect(far, { timeoutMs: 60_000 })
  const near = await serve({
    getStock: (_ctx, _request, call) => {
      left.push(call.deadline - Date.now())
      return neighbour.getStock({ sku: 'TEA-1' })
    },
  })
  await connect(near, { timeoutMs: 10_000 }).getStock({ sku: 'TEA-1' })
  const [first, second] = left as [number, number]
  expect(first).toBeLessThanOrEqual(10_000)
  expect(second).toBeLessThanOrEqual(first - 20)

  const late = inCall(systemCall(log, { timeoutMs: 10 }), () => neighbour.getStock({ sku: 'TEA-1' }))
  expect(await failureOf(late)).toMatchObject({ status: 'DEADLINE_EXCEEDED' })
  expect(left).toHaveLength(2)
})

test('a slow callee is cut at the deadline and told so; one that does not listen is answered for', async () => {
  let told: (() => void) | undefined
  const cut = new Promise<void>((resolve) => {
    told = resolve
  })
  const far = await serve({
    batchGetStock: () => ({}),
    getStock: (_ctx, _request, call) =>
      new Promise((_resolve, reject) => {
        call.signal.addEventListener('abort', () => {
          told!()
          reject(new Error('stopped'))
        })
      }),
  })
  const neighbour = connect(far)
  const near = await serve({
    batchGetStock: () => neighbour.batchGetStock({ skus: ['TEA-1'] }),
    getStock: () => neighbour.getStock({ sku: 'TEA-1' }),
  })
  // Connections first: the time is for the call.
  const client = connect(near, { timeoutMs: 3_000 })
  await client.batchGetStock({ skus: ['TEA-1'] })
  const failure = await failureOf(client.getStock({ sku: 'TEA-1' }))
  expect(failure).toMatchObject({ status: 'DEADLINE_EXCEEDED', code: 'deadline_exceeded' })
  await cut

  // A client that says 50 ms and then waits for ever is answered by the server itself.
  let signal: AbortSignal | undefined
  const deaf = await serve({
    getStock: (_ctx, _request, call) => {
      signal = call.signal
      return new Promise(() => undefined)
    },
  })
  const channel = createChannel(`127.0.0.1:${deaf.port}`)
  releases.push(() => channel.close())
  const patient = createClient(InventoryServiceDefinition, channel)
  const metadata = Metadata({ [HEADERS.timeoutMs]: '50' })
  await expect(patient.getStock({ sku: 'TEA-1' }, { metadata })).rejects.toMatchObject({ code: 4 })
  expect(signal!.aborted).toBe(true)
})

test('more calls than the process may take on are refused at once, and taken again when there is room', async () => {
  const { promise, resolve: release } = Promise.withResolvers<void>()
  let running = 0
  const server = await serve(
    {
      getStock: async () => {
        running += 1
        await promise
        return {}
      },
    },
    5_000,
    2,
  )
  const client = connect(server)
  const working = [client.getStock({ sku: 'A' }), client.getStock({ sku: 'A' })]
  await vi.waitFor(() => expect(running).toBe(2))
  await expect(client.getStock({ sku: 'A' })).rejects.toMatchObject({ status: 'UNAVAILABLE', code: 'overloaded' })
  expect(running).toBe(2)
  release()
  await Promise.all(working)
  await client.getStock({ sku: 'A' })
})

test('a store that is away is UNAVAILABLE for the caller, not a mistake of ours', async () => {
  const server = await serve({
    getStock: () => {
      throw Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' })
    },
  })
  await expect(connect(server).getStock({ sku: 'A' })).rejects.toMatchObject({
    status: 'UNAVAILABLE',
    code: 'store_unavailable',
  })
  expect(logged.filter(({ level }) => level === 50)).toEqual([])
  expect(logged).toContainEqual(expect.objectContaining({ rpc: 'GetStock', status: 'UNAVAILABLE' }))
})

test('a stop finishes what is in flight and refuses what is new', async () => {
  let open: ((answer: object) => void) | undefined
  let arrived: (() => void) | undefined
  const inside = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const server = await serve({
    getStock: () =>
      new Promise((resolve) => {
        open = resolve
        arrived!()
      }),
  })
  const inFlight = connect(server).getStock({ sku: 'TEA-1' })
  await inside
  let drained = false
  const drain = server.drain().then(() => {
    drained = true
  })
  expect(await failureOf(connect(server).getStock({ sku: 'TEA-2' }))).toMatchObject({
    status: 'UNAVAILABLE',
    code: 'service_unavailable',
  })
  expect(drained).toBe(false)
  open!({ stock: { sku: 'TEA-1' } })
  expect(await inFlight).toMatchObject({ stock: { sku: 'TEA-1' } })
  await drain
})

test('calls that a stopping server refused are answered by its successor, each of them once', async () => {
  let answered = 0
  const getStock = async () => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
    answered += 1
    return { stock: {} }
  }
  let behind = await serve({ getStock })
  // What a Service is on a cluster: new connections go to the successor.
  const front = createTcpServer((outer) => {
    const inner = tcpConnect(behind.port, '127.0.0.1')
    outer.pipe(inner).pipe(outer)
    for (const [socket, other] of [[outer, inner] as const, [inner, outer] as const])
      socket.on('error', () => undefined).on('close', () => other.destroy())
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const port = (front.address() as { port: number }).port
  const client = connect({ port, drain: async () => undefined })
  releases.push(() => front.close())

  await client.getStock({ sku: 'A' })
  let asked = 1
  let isOver = false
  const callers = Array.from({ length: 40 }, async () => {
    for (; !isOver; asked += 1) await client.getStock({ sku: 'A' })
  })
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    const old = behind
    behind = await serve({ getStock })
    await old.drain()
  }
  isOver = true
  await Promise.all(callers)
  expect(asked).toBeGreaterThan(200)
  expect(answered).toBe(asked)
})

test('a call that never ends does not hold a stop up longer than the grace period', async () => {
  let arrived: (() => void) | undefined
  const inside = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const server = await serve(
    {
      getStock: () => {
        arrived!()
        return new Promise(() => undefined)
      },
    },
    100,
  )
  const stuck = failureOf(connect(server).getStock({ sku: 'TEA-1' }))
  await inside
  const started = performance.now()
  await server.drain()
  expect(await stuck).toMatchObject({ status: 'CANCELLED' })
  // Its own deadline is five seconds away.
  expect(performance.now() - started).toBeLessThan(3_000)
})

test('no forged, foreign, stale or misdirected token opens anything, not even what is public', async () => {
  const server = await serve({})
  const claims = { sub: newId(), kind: 'user', vendorId, vendorPermissions: ['*'] }
  const unsigned = new UnsecuredJWT(claims)
    .setIssuer('haat')
    .setAudience(TOKEN_AUDIENCE)
    .setExpirationTime('10m')
    .encode()
  const good = await sign({ vendorId, vendorPermissions: ['*'] })
  const [head, , tail] = good.split('.')
  const richer = Buffer.from(JSON.stringify({ ...claims, permissions: ['inventory.write'] })).toString('base64url')
  const tokens: [string, string][] = [
    ['token_invalid', unsigned],
    ['token_invalid', `${head}.${richer}.${tail}`],
    ['token_invalid', await sign(claims as TokenClaims, { key: foreign.privateKey })],
    ['token_invalid', await sign(claims as TokenClaims, { audience: 'elsewhere' })],
    ['token_invalid', await sign(claims as TokenClaims, { issuer: 'elsewhere' })],
    ['token_invalid', await sign(claims as TokenClaims, { typ: 'JWT' })],
    ['token_expired', await sign(claims as TokenClaims, { expires: Math.floor(Date.now() / 1000) - 60 })],
    ['token_invalid', 'not.a.token'],
  ]
  const client = connect(server)
  for (const [code, token] of tokens) {
    const refused = { status: 'UNAUTHENTICATED', code }
    expect(await failureOf(client.setStock(setStock(), as(token)))).toMatchObject(refused)
    expect(await failureOf(client.getStock({ sku: 'TEA-1' }, as(token)))).toMatchObject(refused)
  }
})

test('what is for services only opens for a service, not for a BFF, a tool or a person', async () => {
  const callers: (string | undefined)[] = []
  const server = await serve({
    commit: (_ctx, _request, call) => {
      callers.push(call.service)
      return {}
    },
  })
  const request = { orderId: newId() }
  const bff = connect(server, { serviceToken: await sign({ sub: 'bff-storefront', kind: 'service' }) })
  const person = as(await sign({ roles: ['super_admin'], permissions: ['inventory.write'] }))
  expect(await failureOf(bff.commit(request))).toMatchObject({ status: 'UNAUTHENTICATED', code: 'login_required' })
  expect(await failureOf(bff.commit(request, person))).toMatchObject({ status: 'PERMISSION_DENIED' })

  const toolToken = await sign({ sub: newId(), kind: 'tool', permissions: ['inventory.write'] })
  expect(await failureOf(connect(server).commit(request, as(toolToken)))).toMatchObject({ status: 'PERMISSION_DENIED' })
  const disguised = connect(server, { serviceToken: toolToken })
  expect(await failureOf(disguised.commit(request))).toMatchObject({ status: 'UNAUTHENTICATED', code: 'token_invalid' })

  await connect(server, { serviceToken: await sign({ sub: 'order', kind: 'service' }) }).commit(request)
  expect(callers).toEqual(['order'])
})

test('what is for a vendor opens for its own members with the right, and for staff; another vendor does not exist', async () => {
  let calls = 0
  const server = await serve({
    setStock: () => {
      calls++
      return {}
    },
  })
  const client = connect(server)
  const attempt = async (claims: Partial<TokenClaims>) => client.setStock(setStock(), as(await sign(claims)))
  await attempt({ vendorId, vendorPermissions: ['*'] })
  await attempt({ vendorId, vendorPermissions: ['inventory.write'] })
  await attempt({ permissions: ['inventory.write'] })
  expect(calls).toBe(3)

  const other = await failureOf(attempt({ vendorId: newId(), vendorPermissions: ['*'] }))
  expect(other).toMatchObject({ status: 'NOT_FOUND', code: 'vendor_not_found' })
  for (const claims of [
    { vendorId, vendorPermissions: ['orders.read'] },
    { roles: ['customer'] },
    { permissions: ['inventory.read'] },
  ])
    expect(await failureOf(attempt(claims))).toMatchObject({ status: 'PERMISSION_DENIED', code: 'permission_missing' })
  expect(calls).toBe(3)
})

test('one line per call says who and how long, and carries neither bodies nor tokens', async () => {
  const server = await serve({ adjustStock: () => ({}) })
  const token = await sign({ vendorId, vendorPermissions: ['*'] })
  const request = { vendorId, sku: 'TEA-1', delta: 1, reason: AdjustReason.DAMAGED, note: 'fell off the shelf' }
  await connect(server).adjustStock(request, as(token))
  const lines = logged.filter(({ rpc }) => rpc === 'AdjustStock')
  expect(lines).toMatchObject([{ status: 'OK', caller: 'user' }])
  expect(JSON.stringify(logged)).not.toContain('fell off the shelf')
  expect(JSON.stringify(logged)).not.toContain(token)
})

test('buf curl needs no files: the server describes itself, answers health and is callable', async () => {
  const server = await serve({ getStock: () => ({ stock: { sku: 'TEA-1', available: 7 } }) })
  const buf = async (path: string, ...args: string[]) => {
    const url = `http://127.0.0.1:${server.port}${path}`
    const root = fileURLToPath(new URL('../../../', import.meta.url))
    const { stdout } = await promisify(execFile)(
      `${root}node_modules/.bin/buf`,
      ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', url, ...args],
      { cwd: root },
    )
    return stdout.trim()
  }
  expect((await buf('', '--list-services')).split('\n')).toEqual([
    'grpc.health.v1.Health',
    'haat.inventory.v1.InventoryService',
  ])
  const health = await buf('/grpc.health.v1.Health/Check', '-d', '{"service":"haat.inventory.v1.InventoryService"}')
  expect(JSON.parse(health)).toEqual({ status: 'SERVING' })
  const answer = await buf('/haat.inventory.v1.InventoryService/GetStock', '-d', '{"sku":"TEA-1"}')
  expect(JSON.parse(answer)).toMatchObject({ stock: { sku: 'TEA-1', available: 7 } })
})
