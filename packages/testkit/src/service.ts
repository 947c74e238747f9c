import { randomBytes } from 'node:crypto'
import type { EventMessage } from '@haat/kit/events/definition'
import { eventOf } from '@haat/kit/events/definition'
import { createEnvelope, type Envelope } from '@haat/kit/events/envelope'
import { createEventSealer } from '@haat/kit/events/sealed'
import { names } from '@haat/kit/events/topology'
import { createClients } from '@haat/kit/grpc-client'
import { HEADERS, type TsProtoService } from '@haat/kit/grpc-server'
import type { Service } from '@haat/kit/service'
import { MongoClient } from 'mongodb'
import { Metadata } from 'nice-grpc-common'
import { Connection } from 'rabbitmq-client'
import { afterAll } from 'vitest'
import { cloneDatabase, type TestDatabase } from './database.ts'
import { ISSUER, jwksJson } from './tokens.ts'

/** Who makes a call: a signed-in person, a neighbour service, both (a service on a person's behalf), or nobody. */
export type As = { token?: string; serviceToken?: string }

export type TestService = {
  service: Service
  /** A client of the service under test, speaking as somebody. */
  as<Client>(definition: TsProtoService, who?: As): Client
  /** The service's own database as superuser (PostgreSQL services). */
  database: TestDatabase
  /** Publishes an event as a neighbour would, and waits until the service has handled it. */
  publish<Data>(message: EventMessage<Data>, data: NoInfer<Data>): Promise<Envelope>
  /** Publishes an envelope as it is: a repeat, for instance. */
  publishRaw(envelope: Envelope): Promise<void>
  /** What the service has published of this event so far; drains the outbox first. */
  emitted<Data>(message: EventMessage<Data>): Promise<{ data: Data; envelope: Envelope }[]>
  /** Stops the service and starts it again on the same stores. */
  restart(): Promise<void>
}

const EVENT_SECRET = 'of-tests-only-'.repeat(3)

const required = (name: string) => {
  const value = process.env[name]
  if (!value)
    throw new Error(`${name} is not set: tests run through "npm test", or with the stores' URLs in the environment`)
  return value
}

/**
 * Starts one service for a test file: a clone of its migrated database (when it has migrations), a MongoDB database and
 * a broker prefix of its own, real gRPC. Everything goes away after the file.
 */
export async function startTestService<Config, Context>(options: {
  name: string
  load: (env: Record<string, string | undefined>) => Config
  start: (config: Config, overrides: Partial<Context>) => Promise<Service>
  migrations?: URL
  overrides?: Partial<Context>
  env?: Record<string, string>
}): Promise<TestService> {
  const prefix = `test-${options.name}-${randomBytes(4).toString('hex')}`
  const database = options.migrations
    ? await cloneDatabase(required('POSTGRES_URL'), options.name, options.migrations)
    : undefined
  const config = options.load({
    HOST: '127.0.0.1',
    GRPC_PORT: '0',
    ADMIN_PORT: '0',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    JWKS_JSON: jwksJson,
    AUTH_ISSUER: ISSUER,
    RABBITMQ_URL: required('RABBITMQ_URL'),
    REDIS_URL: required('REDIS_URL'),
    MONGO_URL: required('MONGO_URL'),
    MONGO_DATABASE: prefix,
    EVENT_PREFIX: prefix,
    EVENT_RETRY_SECONDS: '1',
    EVENT_SECRET,
    // Tests move clocks: a job runs when the test says so, never in between.
    RUN_JOBS: 'false',
    ...(database ? { POSTGRES_URL: database.url, POSTGRES_MIGRATE_URL: database.migrateUrl } : {}),
    ...options.env,
  })
  let service = await options.start(config, options.overrides ?? {})
  const clients = createClients({})

  const broker = new Connection(required('RABBITMQ_URL'))
  broker.on('error', () => undefined)
  const { open } = createEventSealer([EVENT_SECRET])
  const recorded: Envelope[] = []
  const recorder = broker.createConsumer(
    {
      queueOptions: { exclusive: true },
      queueBindings: [{ exchange: names(prefix).events, routingKey: '#' }],
      noAck: true,
    },
    async (message) => {
      recorded.push(open(message.body as Envelope)!)
    },
  )
  await new Promise<void>((resolve, reject) => recorder.once('ready', resolve).once('error', reject))
  recorder.on('error', () => undefined)
  const publisher = broker.createPublisher({ confirm: true })

  const publishRaw = async (envelope: Envelope) => {
    await publisher.send(
      {
        exchange: names(prefix).events,
        routingKey: envelope.type,
        durable: true,
        contentType: 'application/json',
        messageId: envelope.eventId,
      },
      envelope,
    )
    await service.settle()
  }

  afterAll(async () => {
    clients.close()
    await service.close()
    await recorder.close()
    await publisher.close()
    await removeFromBroker(broker, service)
    await broker.close()
    await database?.drop()
    if (!database) await dropMongo(prefix)
  })

  return {
    get service() {
      return service
    },
    as<Client>(definition: TsProtoService, who: As = {}): Client {
      const metadata = Metadata()
      if (who.token) metadata.set(HEADERS.authorization, `Bearer ${who.token}`)
      if (who.serviceToken) metadata.set(HEADERS.service, `Bearer ${who.serviceToken}`)
      const client = clients.connect<Record<string, (request: unknown, options: object) => unknown>>(
        definition,
        `127.0.0.1:${service.grpcPort}`,
        { timeoutMs: 15_000 },
      )
      return new Proxy(client, {
        get:
          (target, method) =>
          (request: unknown, more: object = {}) =>
            target[method as string]!(request, { metadata, ...more }),
      }) as Client
    },
    get database() {
      if (!database) throw new Error(`${options.name} has no PostgreSQL database`)
      return database
    },
    async publish(message, data) {
      const envelope = createEnvelope(message, data, { sequence: 1 })
      await publishRaw(envelope)
      return envelope
    },
    publishRaw,
    async emitted(message) {
      await service.settle()
      await published()
      const event = eventOf(message)
      return recorded
        .filter((e) => e.type === event.type)
        .map((envelope) => ({ data: message.fromJSON(envelope.data), envelope }))
    },
    async restart() {
      await service.close()
      service = await options.start(config, options.overrides ?? {})
    },
  }

  // The recorder's queue is served in order: once a marker came through, everything before it did.
  async function published(): Promise<void> {
    const eventId = `marker-${randomBytes(8).toString('hex')}`
    await publisher.send(
      { exchange: names(prefix).events, routingKey: 'test.marker', contentType: 'application/json' },
      { eventId, type: 'test.marker' },
    )
    while (!recorded.some((e) => e.eventId === eventId)) await new Promise((resolve) => setImmediate(resolve))
  }
}

async function removeFromBroker(broker: Connection, service: Service): Promise<void> {
  for (const queue of service.brokerObjects.queues) await broker.queueDelete({ queue })
  for (const exchange of service.brokerObjects.exchanges) await broker.exchangeDelete({ exchange })
}

async function dropMongo(name: string): Promise<void> {
  const client = new MongoClient(required('MONGO_URL'))
  await client.connect()
  await client.db(name).dropDatabase()
  await client.close()
}
