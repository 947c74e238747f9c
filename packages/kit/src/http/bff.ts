import { type AuthServiceClient, AuthServiceDefinition } from '@haat/proto/auth/v1/auth'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { createVerifier, type Verifier } from '../auth.ts'
import { type Clients, createClients } from '../grpc-client.ts'
import { createLog, type Log } from '../log.ts'
import { createMetrics } from '../metrics.ts'
import { openRedis, type Redis } from '../redis.ts'
import type { Running } from '../run.ts'
import { connectAuth } from '../service-token.ts'
import { startAdminServer } from './admin-server.ts'
import { type App, createApp } from './app.ts'
import type { RateLimitSettings } from './config.ts'
import type { HttpEnv } from './context.ts'
import { serveHttp } from './serve.ts'
import { createSessions, type Sessions } from './sessions.ts'

/** The variables of kit/http/config.ts. */
export type BffConfig = {
  HOST: string
  HTTP_PORT: number
  ADMIN_PORT: number
  LOG_LEVEL: string
  AUTH_ADDR: string
  AUTH_ISSUER: string
  JWKS_JSON?: string | undefined
  SERVICE_CLIENT_ID?: string | undefined
  SERVICE_CLIENT_SECRET?: string | undefined
  REDIS_URL: string
  REDIS_TIMEOUT_MS?: number | undefined
  ALLOWED_ORIGINS: string[]
  DRAIN_SECONDS: number
  SHUTDOWN_GRACE_SECONDS: number
  SESSION_SECRET: string
  COOKIE_SECURE: boolean
  SESSION_IDLE_MINUTES: number
  SESSION_ABSOLUTE_HOURS: number
  TRUST_PROXY: number
  REQUEST_TIMEOUT_MS: number
  MAX_IN_FLIGHT: number
  RATE_LIMITS: RateLimitSettings
}

/** What a BFF builds its context from. */
export type BffChassis = {
  log: Log
  redis: Redis
  sessions: Sessions
  verify: Verifier
  connect: Clients['connect']
  /** Auth is every BFF's neighbour: sessions are renewed there. */
  auth: AuthServiceClient
}

export type Bff = Running & { port: number; adminPort: number; url: string }

/**
 * Starts a BFF: sessions, rate limits and clients, the app with its routes under `/v1`, the admin port. `close()` answers
 * what is under way, then releases everything.
 */
export async function startBff(
  options: {
    name: string
    title: string
    description: string
    config: BffConfig
    sameSite?: 'Lax' | 'Strict'
    /** Replaces neighbours in tests. */
    connect?: Clients['connect']
    /** Mounts what is not under /v1 (a web app), after the routes. */
    mount?: (app: App, chassis: BffChassis) => void
  },
  assemble: (chassis: BffChassis) => OpenAPIHono<HttpEnv>[],
): Promise<Bff> {
  const { name, config } = options
  const log = createLog(name, config.LOG_LEVEL)
  const metrics = createMetrics(name)
  const credentials = connectAuth({
    address: config.AUTH_ADDR,
    jwksJson: config.JWKS_JSON,
    clientId: config.SERVICE_CLIENT_ID,
    clientSecret: config.SERVICE_CLIENT_SECRET,
    log,
  })
  const clients = createClients({ serviceToken: credentials.serviceToken })
  const connect = options.connect ?? clients.connect
  const auth = connect<AuthServiceClient>(AuthServiceDefinition, config.AUTH_ADDR)
  const redis = openRedis({ url: config.REDIS_URL, log, commandTimeoutMs: config.REDIS_TIMEOUT_MS })
  const verify = createVerifier({ issuer: config.AUTH_ISSUER, fetchJwks: credentials.fetchJwks })
  const sessions = createSessions({
    name,
    redis,
    verify,
    log,
    secret: config.SESSION_SECRET,
    secure: config.COOKIE_SECURE,
    idleMs: config.SESSION_IDLE_MINUTES * 60_000,
    absoluteMs: config.SESSION_ABSOLUTE_HOURS * 3_600_000,
    ...(options.sameSite ? { sameSite: options.sameSite } : {}),
    refresh: async (refreshToken) => (await auth.refresh({ refreshToken })).tokens!,
  })
  const app = createApp({
    name,
    title: options.title,
    description: options.description,
    log,
    redis,
    sessions,
    verify,
    config,
    trustedOrigins: config.ALLOWED_ORIGINS,
    observe: ({ method, route, status, seconds }) =>
      metrics.http.observe({ method, route, status: String(status) }, seconds),
  })
  const chassis: BffChassis = { log, redis, sessions, verify, connect, auth }
  for (const routes of assemble(chassis)) app.route('/v1', routes)
  options.mount?.(app, chassis)
  const server = await serveHttp({
    app,
    port: config.HTTP_PORT,
    host: config.HOST,
    log,
    drainMs: config.DRAIN_SECONDS * 1000,
    graceMs: config.SHUTDOWN_GRACE_SECONDS * 750,
  })
  let serving = true
  const admin = await startAdminServer({
    host: config.HOST,
    port: config.ADMIN_PORT,
    metricsText: () => metrics.registry.metrics(),
    ready: async () => ({ ok: serving, checks: { http: serving ? 'serving' : 'stopping' } }),
  })
  log.info({ port: server.port, adminPort: admin.port }, 'ready')
  return {
    port: server.port,
    adminPort: admin.port,
    url: server.url,
    async close() {
      serving = false
      await server.close()
      await admin.close()
      clients.close()
      credentials.close()
      redis.disconnect()
    },
  }
}
