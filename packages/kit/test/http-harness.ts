import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createVerifier, TOKEN_AUDIENCE, TOKEN_TYPE, type TokenClaims, type Verifier } from '../src/auth.ts'
import { type App, type AppOptions, createApp } from '../src/http/app.ts'
import { createSessions, type Sessions, type Tokens } from '../src/http/sessions.ts'
import { newId } from '../src/id.ts'
import { createLog } from '../src/log.ts'
import { openRedis, type Redis } from '../src/redis.ts'

export const log = createLog('http-test', 'silent')
export const SECRET = 'a secret that is only used by tests of the chassis'

export const redisUrl = (): string => {
  const url = process.env.REDIS_URL
  if (!url) throw new Error('REDIS_URL is missing')
  return url
}

/** Signs tokens as auth does, and verifies them. */
export async function createIssuer(): Promise<{
  verify: Verifier
  sign(claims: Partial<TokenClaims>, seconds?: number): Promise<string>
}> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA' }
  return {
    verify: createVerifier({ issuer: 'haat', fetchJwks: async () => ({ keys: [jwk] }) }),
    sign: (claims, seconds = 900) =>
      new SignJWT({ kind: 'user', ...claims, jti: newId() })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'k1', typ: TOKEN_TYPE })
        .setIssuer('haat')
        .setAudience(TOKEN_AUDIENCE)
        .setSubject(claims.sub ?? 'u-1')
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(privateKey),
  }
}

export type Harness = {
  app: App
  redis: Redis
  sessions: Sessions
  issuer: Awaited<ReturnType<typeof createIssuer>>
  name: string
}

/** An app of its own namespace on the real Redis. */
export async function createHarness(
  options: {
    redis?: Redis
    name?: string
    issuer?: Harness['issuer']
    refresh?: (token: string) => Promise<Tokens>
    secure?: boolean
    session?: { idleMs?: number; absoluteMs?: number; now?: () => number }
    app?: Partial<AppOptions>
    config?: Partial<AppOptions['config']>
  } = {},
): Promise<Harness> {
  const name = options.name ?? `t-${newId()}`
  const redis = options.redis ?? openRedis({ url: redisUrl(), log, commandTimeoutMs: 2_000 })
  const issuer = options.issuer ?? (await createIssuer())
  const secure = options.secure ?? true
  const sessions = createSessions({
    name,
    redis,
    secret: SECRET,
    secure,
    verify: issuer.verify,
    refresh: options.refresh ?? (async () => Promise.reject(new Error('nothing to refresh'))),
    log,
    ...options.session,
  })
  const app = createApp({
    name,
    log,
    redis,
    sessions,
    verify: issuer.verify,
    config: {
      TRUST_PROXY: 0,
      RATE_LIMITS: {},
      REQUEST_TIMEOUT_MS: 5_000,
      MAX_IN_FLIGHT: 64,
      COOKIE_SECURE: secure,
      ...options.config,
    },
    trustedOrigins: ['https://shop.example'],
    ...options.app,
  })
  return { app, redis, sessions, issuer, name }
}

type Problem = { code: string; message: string; details: Record<string, unknown>; requestId: string }

/** `{ error: … }` of an answer. */
export async function problemOf(res: Response): Promise<Problem> {
  return ((await res.json()) as { error: Problem }).error
}

export const jsonPost = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

/** The cookie a browser would send back. */
export const cookieOf = (res: Response): string => res.headers.getSetCookie()[0]!.split(';', 1)[0]!

/** A way to Redis that can be cut. */
export async function createCuttablePath(url: string): Promise<{ url: string; cut(): Promise<void> }> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((inbound) => {
    const outbound = connect(Number(target.port || 6379), target.hostname)
    for (const socket of [inbound, outbound]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    inbound.pipe(outbound).pipe(inbound)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = new URL(url)
  own.hostname = '127.0.0.1'
  own.port = String((server.address() as AddressInfo).port)
  return {
    url: own.href,
    cut: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Polls until the check passes. */
export async function eventually(check: () => void | Promise<void>, withinMs = 5_000): Promise<void> {
  const giveUp = Date.now() + withinMs
  for (;;)
    try {
      return await check()
    } catch (error) {
      if (Date.now() > giveUp) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
}
