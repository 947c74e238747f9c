import { createVerifier, type Verifier } from './auth.ts'
import { type EventHandler, type Events, startEvents } from './events/events.ts'
import { type Clients, createClients } from './grpc-client.ts'
import { type GrpcService, startGrpcServer } from './grpc-server.ts'
import { startAdminServer } from './http/admin-server.ts'
import { type Job, type Jobs, startJobs } from './jobs.ts'
import { createLog, type Log } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { type Mongo, openMongo } from './mongo.ts'
import { openPgSession } from './pg-session.ts'
import { migrate, openPostgres, type Postgres } from './postgres.ts'
import { openRedis, type Redis } from './redis.ts'
import type { Running } from './run.ts'
import { connectAuth } from './service-token.ts'

/** The variables the chassis reads; services spread `grpcServer` (and the stores they use) from config.ts. */
export type ServiceConfig = {
  HOST: string
  GRPC_PORT: number
  ADMIN_PORT: number
  LOG_LEVEL: string
  MAX_IN_FLIGHT?: number | undefined
  SHUTDOWN_GRACE_SECONDS: number
  RUN_JOBS?: boolean | undefined
  AUTH_ADDR: string
  AUTH_ISSUER: string
  JWKS_JSON?: string | undefined
  SERVICE_CLIENT_ID?: string | undefined
  SERVICE_CLIENT_SECRET?: string | undefined
  POSTGRES_URL?: string | undefined
  POSTGRES_MIGRATE_URL?: string | undefined
  POSTGRES_POOL_SIZE?: number | undefined
  MONGO_URL?: string | undefined
  MONGO_DATABASE?: string | undefined
  REDIS_URL?: string | undefined
  REDIS_TIMEOUT_MS?: number | undefined
  RABBITMQ_URL?: string | undefined
  EVENT_SECRET?: string[] | undefined
  EVENT_RETRY_SECONDS?: number[] | undefined
  EVENT_PREFIX?: string | undefined
  REPLAY_EVENTS_SINCE?: Date | undefined
}

/** What a service's assembly function gets to build its context from; whatever it opens is closed with the service. */
export type Chassis = {
  log: Log
  metrics: Metrics
  connect: Clients['connect']
  /** Opens the service's database and applies its migrations. */
  postgres<Schema>(migrations: URL): Promise<Postgres<Schema>>
  mongo(): Promise<Mongo>
  redis(): Redis
  /** Tells the relay which documents of a collection were written with pending events (MongoDB services). */
  wakeEvents: Events['wake']
  /** Runs a job without waiting for its timer. */
  runSoon: Jobs['soon']
  /** Verifies access tokens; only auth replaces it. */
  verify: Verifier
  onClose(release: () => Promise<void> | void): void
}

/** What makes a service a service: its RPC tables, event handlers and jobs, over one context. */
export type Assembly<Context> = {
  ctx: Context
  rpcs: GrpcService<Context>[]
  events?: EventHandler<Context>[]
  jobs?: Job<Context>[]
  /** Collections whose documents carry pending events (MongoDB services). */
  eventCollections?: string[]
  /** Replaces the chassis' verifier (auth verifies by its own keys). */
  verify?: Verifier
}

export type Service = Running & {
  name: string
  grpcPort: number
  adminPort: number
  /** Waits until the outbox is empty and no handler has work left. */
  settle(): Promise<void>
  /** Events published and handled so far: several services are quiet when settling all of them moves nothing. */
  readonly moved: number
  /** What the service declares on the broker; tests remove it afterwards. */
  readonly brokerObjects: { queues: string[]; exchanges: string[] }
  /** Runs a job now; tests and operators. */
  runJob(name: string): Promise<void>
}

/**
 * Starts a service: stores, migrations, context, event consumers, jobs, gRPC, admin port. `close()` stops in the reverse
 * order: not serving → consumers and jobs → gRPC drained → last outbox pass → stores.
 */
export async function startService<Context>(
  name: string,
  config: ServiceConfig,
  assemble: (chassis: Chassis) => Promise<Assembly<Context>>,
): Promise<Service> {
  const log = createLog(name, config.LOG_LEVEL)
  const metrics = createMetrics(name)
  const releases: (() => Promise<void> | void)[] = []
  const releaseAll = async () => {
    for (const release of releases.reverse()) await release()
  }
  try {
    const auth = connectAuth({
      address: config.AUTH_ADDR,
      jwksJson: config.JWKS_JSON,
      clientId: config.SERVICE_CLIENT_ID,
      clientSecret: config.SERVICE_CLIENT_SECRET,
      log,
    })
    releases.push(() => auth.close())
    const clients = createClients({ serviceToken: auth.serviceToken })
    releases.push(() => clients.close())
    let postgres: Postgres<never> | undefined
    let mongo: Mongo | undefined
    let wake: Events['wake'] = () => {}
    let soon: Jobs['soon'] = () => {}
    const chassis: Chassis = {
      log,
      metrics,
      connect: clients.connect,
      verify: createVerifier({ issuer: config.AUTH_ISSUER, fetchJwks: auth.fetchJwks }),
      async postgres<Schema>(migrations: URL) {
        const url = required(config.POSTGRES_URL, 'POSTGRES_URL')
        const applied = await migrate(config.POSTGRES_MIGRATE_URL ?? url, migrations)
        if (applied.length) log.info({ applied }, 'migrated')
        const opened = openPostgres<Schema>({
          url,
          name,
          log,
          ...(config.POSTGRES_POOL_SIZE ? { poolSize: config.POSTGRES_POOL_SIZE } : {}),
        })
        releases.push(() => opened.close())
        postgres = opened as unknown as Postgres<never>
        return opened
      },
      async mongo() {
        mongo = await openMongo({
          url: required(config.MONGO_URL, 'MONGO_URL'),
          database: config.MONGO_DATABASE ?? `haat_${name}`,
          name,
        })
        releases.push(mongo.close)
        return mongo
      },
      redis() {
        const redis = openRedis({
          url: required(config.REDIS_URL, 'REDIS_URL'),
          log,
          commandTimeoutMs: config.REDIS_TIMEOUT_MS,
        })
        releases.push(() => redis.disconnect())
        return redis
      },
      wakeEvents: (collection, ids) => wake(collection, ids),
      runSoon: (name) => soon(name),
      onClose: (release) => {
        releases.push(release)
      },
    }
    const parts = await assemble(chassis)

    // For the jobs' leader locks.
    const session =
      postgres && parts.jobs?.some(({ leader }) => leader)
        ? openPgSession({ url: required(config.POSTGRES_URL, 'POSTGRES_URL'), name, log })
        : undefined
    if (session) releases.push(() => session.close())

    const events: Events = await startEvents<Context>({
      service: name,
      url: required(config.RABBITMQ_URL, 'RABBITMQ_URL'),
      log,
      ctx: parts.ctx,
      handlers: parts.events ?? [],
      secrets: required(config.EVENT_SECRET, 'EVENT_SECRET'),
      retrySeconds: config.EVENT_RETRY_SECONDS ?? [1, 5, 30, 300, 1800],
      ...(config.EVENT_PREFIX ? { prefix: config.EVENT_PREFIX } : {}),
      replaySince: config.REPLAY_EVENTS_SINCE,
      ...(postgres ? { db: postgres.db } : {}),
      ...(mongo ? { mongo: { db: mongo.db, collections: parts.eventCollections ?? [] } } : {}),
      metrics: {
        published: (type) => metrics.published.inc({ type }),
        handled: (type, outcome, seconds) => metrics.handled.observe({ type, outcome }, seconds),
        lag: (seconds) => metrics.lag.set(seconds),
      },
    })
    wake = events.wake
    const jobs: Jobs = startJobs<Context>({
      service: name,
      jobs: parts.jobs ?? [],
      ctx: parts.ctx,
      log,
      ...(session ? { session } : {}),
      ...(mongo ? { mongo: mongo.db } : {}),
      timers: config.RUN_JOBS ?? true,
    })
    soon = jobs.soon
    const grpc = await startGrpcServer<Context>({
      name,
      services: parts.rpcs,
      ctx: parts.ctx,
      verify: parts.verify ?? chassis.verify,
      host: config.HOST,
      port: config.GRPC_PORT,
      log,
      metrics,
      maxInFlight: config.MAX_IN_FLIGHT,
      // The rest of the grace period is for what comes after: the last outbox pass, the stores.
      graceMs: config.SHUTDOWN_GRACE_SECONDS * 750,
    })
    let serving = true
    const admin = await startAdminServer({
      host: config.HOST,
      port: config.ADMIN_PORT,
      metricsText: () => metrics.registry.metrics(),
      ready: async () => ({ ok: serving, checks: { grpc: serving ? 'serving' : 'stopping' } }),
    })
    log.info({ grpcPort: grpc.port, adminPort: admin.port }, 'ready')
    return {
      name,
      grpcPort: grpc.port,
      adminPort: admin.port,
      settle: () => events.settle(),
      get moved() {
        return events.moved
      },
      brokerObjects: events.brokerObjects,
      runJob: (job) => jobs.runNow(job),
      async close() {
        serving = false
        await Promise.all([events.stopConsuming(), jobs.close()])
        await grpc.drain()
        await events.close()
        await admin.close()
        await releaseAll()
      },
    }
  } catch (error) {
    await releaseAll()
    throw error
  }
}

function required<T extends string | string[]>(value: T | undefined, name: string): T {
  if (!value) throw new Error(`${name} is missing`)
  return value
}
