import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { brokerObjects } from '@haat/kit/events/topology'
import { cloneDatabase } from '@haat/testkit/database'
import { eventually } from '@haat/testkit/eventually'
import { removeTraces } from '@haat/testkit/remove-traces'
import { ISSUER, jwksJson } from '@haat/testkit/tokens'
import { afterAll, expect, test } from 'vitest'

type Span = {
  service: string
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
}
const SERVER = 2
const CLIENT = 3

const root = new URL('../../../', import.meta.url)
const base = 20_000 + (process.pid % 200) * 60 + 50
const spans: Span[] = []

/** The part of an OTLP collector that takes traces as JSON. */
const collector = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { resourceSpans = [] } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  for (const { resource, scopeSpans } of resourceSpans) {
    const service = resource.attributes.find(({ key }: { key: string }) => key === 'service.name').value.stringValue
    for (const scope of scopeSpans) for (const span of scope.spans) spans.push({ service, ...span })
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
})
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
const database = await cloneDatabase(
  process.env.POSTGRES_URL!,
  'inventory',
  new URL('services/inventory/migrations/', root),
)
const prefix = `test-telemetry-${randomBytes(4).toString('hex')}`
const processes: ChildProcess[] = []

afterAll(async () => {
  for (const child of processes) if (child.exitCode === null) child.kill('SIGKILL')
  collector.close()
  await database.drop()
  const { POSTGRES_URL: postgres, MONGO_URL: mongo, RABBITMQ_URL: rabbitmq } = process.env as Record<string, string>
  const handled = ['order.paid', 'order.cancelled', 'payment.failed'].map((type) => `inventory.${type}`)
  await removeTraces({
    urls: { postgres: postgres!, mongo: mongo!, rabbitmq: rabbitmq! },
    postgres: [],
    mongo: [],
    ...brokerObjects(prefix, [1], handled),
  })
})

/** Starts a member's own main file, as a container does. */
async function start(folder: string, name: string, admin: number, env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', '@haat/kit/telemetry', 'src/main.ts'], {
    cwd: fileURLToPath(new URL(folder, root)),
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
      ADMIN_PORT: String(admin),
      JWKS_JSON: jwksJson,
      AUTH_ISSUER: ISSUER,
      OTEL_SERVICE_NAME: name,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  processes.push(child)
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${name} did not start`)
    expect((await fetch(`http://127.0.0.1:${admin}/readyz`)).status).toBe(200)
  }, 30_000)
  return child
}

const stop = async (child: ChildProcess) => {
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  return code
}

test('one request is one trace: from the edge over gRPC into the service and its database, and a stop loses no span', async () => {
  const inventory = await start('services/inventory', 'inventory', base, {
    GRPC_PORT: String(base + 1),
    POSTGRES_URL: database.url,
    POSTGRES_MIGRATE_URL: database.migrateUrl,
    RABBITMQ_URL: process.env.RABBITMQ_URL!,
    EVENT_PREFIX: prefix,
    EVENT_RETRY_SECONDS: '1',
    EVENT_SECRET: randomBytes(32).toString('hex'),
  })
  const storefront = await start('bff/storefront', 'bff-storefront', base + 2, {
    HTTP_PORT: String(base + 3),
    REDIS_URL: process.env.REDIS_URL!,
    SESSION_SECRET: randomBytes(32).toString('hex'),
    INVENTORY_ADDR: `127.0.0.1:${base + 1}`,
  })
  const answer = await fetch(`http://127.0.0.1:${base + 3}/v1/inventory/NO-SUCH-SKU`)
  expect(answer.status).toBe(404)

  // What is still in the exporters leaves with the processes, which end by themselves.
  expect(await Promise.all([stop(storefront), stop(inventory)])).toEqual([0, 0])

  const entry = spans.find((span) => span.service === 'bff-storefront' && span.kind === SERVER)!
  expect(entry.parentSpanId ?? '').toBe('')
  const trace = spans.filter(({ traceId }) => traceId === entry.traceId)
  const rpc = 'grpc.haat.inventory.v1.InventoryService/GetStock'
  const outgoing = trace.find((span) => span.service === 'bff-storefront' && span.name === rpc)!
  expect(outgoing).toMatchObject({ kind: CLIENT, parentSpanId: entry.spanId })
  const incoming = trace.find((span) => span.service === 'inventory' && span.name === rpc)!
  expect(incoming).toMatchObject({ kind: SERVER, parentSpanId: outgoing.spanId })
  const query = trace.find((span) => span.service === 'inventory' && span.name.startsWith('pg.query'))!
  expect(query.kind).toBe(CLIENT)
  // Redis guards the edge's rate limits.
  expect(trace.filter((span) => span.service === 'bff-storefront').map(({ name }) => name)).toContain('evalsha')
  // Probes were asked many times and made no trace.
  expect(spans.filter(({ name }) => /readyz|livez|metrics/.test(name))).toEqual([])
}, 90_000)
