import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'hono'
import type { Redis } from 'ioredis'
import { anonymous, type Caller, type Verifier } from '../auth.ts'
import { inCall, systemCall } from '../call.ts'
import { AppError, unavailable } from '../errors.ts'
import type { Log } from '../log.ts'
import { createSealer } from '../seal.ts'
import type { HttpEnv } from './context.ts'

/** What auth answers to a login or a refresh; its `SessionTokens` message fits as it is. */
export type Tokens = { accessToken: string; refreshToken: string; accessTokenExpiresAt?: Date | undefined }

/** A browser's session. Pages send `csrfToken` back as `x-csrf-token` with every write. */
export type Session = { csrfToken: string; startedAt: number }

export type Sessions = {
  /**
   * The session of the request's cookie and whom it speaks for, its access token renewed when need be; undefined
   * without one, or when it ended (the cookie is cleared then). 503 `session_unavailable` when Redis or auth is away.
   */
  load(c: Context<HttpEnv>): Promise<{ session: Session; caller: Caller; accessToken: string; id: string } | undefined>
  /**
   * Starts a session under a new id, ends the one before, sets the cookie and makes this request speak for its owner.
   */
  create(c: Context<HttpEnv>, tokens: Tokens): Promise<Session>
  /** Ends the session, clears the cookie and answers its refresh token, for auth to revoke. */
  destroy(c: Context<HttpEnv>): Promise<string | undefined>
}

type Stored = { accessToken: string; refreshToken: string; expiresAt: number; csrfToken: string; startedAt: number }

/** A token this close to its end would lapse on the way to the services. */
const RENEW_BEFORE_MS = 10_000
const LOCK_MS = 10_000
const WAIT_MS = 5_000

const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

/**
 * Browser sessions: a random id in an HttpOnly cookie, the tokens sealed in Redis under the id's hash, so that neither
 * the browser nor a copy of Redis holds a usable token.
 */
export function createSessions(options: {
  /** The BFF's name; sessions of one do not open at another. */
  name: string
  redis: Redis
  /** SESSION_SECRET; comma separated, the newest first. */
  secret: string
  /** COOKIE_SECURE: `__Host-sid` with Secure, or plain `sid` for development over HTTP. */
  secure: boolean
  sameSite?: 'Lax' | 'Strict'
  /** Ends unused sessions; 30 minutes. */
  idleMs?: number
  /** Ends every session; 12 hours. */
  absoluteMs?: number
  verify: Verifier
  /** New tokens for a refresh token; UNAUTHENTICATED ends the session. */
  refresh: (refreshToken: string) => Promise<Tokens>
  log: Log
  now?: () => number
}): Sessions {
  const { redis, verify } = options
  const now = options.now ?? Date.now
  const idleMs = options.idleMs ?? 30 * 60_000
  const absoluteMs = options.absoluteMs ?? 12 * 3_600_000
  const cookie = options.secure ? '__Host-sid' : 'sid'
  const pattern = new RegExp(`(?:^|;\\s*)${cookie}=([A-Za-z0-9_-]{43})(?:;|$)`)
  const attributes = `; Path=/; HttpOnly; SameSite=${options.sameSite ?? 'Lax'}${options.secure ? '; Secure' : ''}`
  const sealer = createSealer(options.secret.split(','), `haat session ${options.name}`)
  const renewing = new Map<string, Promise<Stored | undefined>>()

  const keyOf = (id: string) => `session:${options.name}:${createHash('sha256').update(id).digest('base64url')}`
  const idOf = (c: Context<HttpEnv>) => c.req.header('cookie')?.match(pattern)?.[1]
  const setCookie = (c: Context<HttpEnv>, id: string) =>
    c.header('Set-Cookie', `${cookie}=${id}${attributes}; Max-Age=${Math.floor(absoluteMs / 1000)}`, { append: true })
  const clearCookie = (c: Context<HttpEnv>) =>
    c.header('Set-Cookie', `${cookie}=${attributes}; Max-Age=0`, { append: true })
  const lifeLeft = (stored: Stored) => Math.min(idleMs, stored.startedAt + absoluteMs - now())
  const seal = (key: string, stored: Stored) => sealer.seal(JSON.stringify(stored), key)
  const open = (key: string, sealed: string | null): Stored | undefined => {
    const text = sealed ? sealer.open(sealed, key) : undefined
    return text === undefined ? undefined : (JSON.parse(text) as Stored)
  }
  const withTokens = (tokens: Tokens) => ({
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    expiresAt: tokens.accessTokenExpiresAt?.getTime() ?? Number.MAX_SAFE_INTEGER,
  })
  const sessionOf = ({ csrfToken, startedAt }: Stored): Session => ({ csrfToken, startedAt })

  /** One renewal per session at a time: in this process by the map, among instances by a lock in Redis. */
  const renew = (key: string, stored: Stored): Promise<Stored | undefined> => {
    let running = renewing.get(key)
    if (!running) {
      running = renewLocked(key, stored).finally(() => renewing.delete(key))
      renewing.set(key, running)
    }
    return running
  }
  const renewLocked = async (key: string, stored: Stored): Promise<Stored | undefined> => {
    const lock = `${key}:lock`
    const holder = randomBytes(16).toString('base64url')
    for (const giveUpAt = Date.now() + WAIT_MS; ; ) {
      const locked = (await redis.set(lock, holder, 'PX', LOCK_MS, 'NX')) === 'OK'
      try {
        const latest = open(key, await redis.get(key))
        if (!latest || latest.accessToken !== stored.accessToken) return latest
        if (locked) return await exchange(key, latest)
      } finally {
        if (locked) await redis.eval(UNLOCK, 1, lock, holder).catch(() => {})
      }
      if (Date.now() > giveUpAt) throw unavailable('session_unavailable', 'the session is being renewed')
      await sleep(25)
    }
  }
  const exchange = async (key: string, stored: Stored): Promise<Stored | undefined> => {
    try {
      // A call of its own: a client that leaves now must not lose the tokens that others of its requests wait for.
      const work = () => options.refresh(stored.refreshToken)
      const renewed = { ...stored, ...withTokens(await inCall(systemCall(options.log, { timeoutMs: WAIT_MS }), work)) }
      // XX: a session that was ended meanwhile stays ended.
      const kept = await redis.set(key, seal(key, renewed), 'PX', Math.max(1, lifeLeft(renewed)), 'XX')
      return kept === 'OK' ? renewed : undefined
    } catch (error) {
      if (!(error instanceof AppError && error.status === 'UNAUTHENTICATED')) throw error
      await redis.del(key)
      return undefined
    }
  }
  /** The subject of a stored token, undefined when it needs to be renewed. */
  const subject = async (stored: Stored): Promise<Caller | undefined> => {
    if (stored.expiresAt - RENEW_BEFORE_MS < now()) return undefined
    try {
      return await verify(stored.accessToken)
    } catch (error) {
      if (error instanceof AppError && error.status === 'UNAUTHENTICATED') return undefined
      throw error
    }
  }
  const find = async (key: string) => {
    let stored = open(key, await redis.getex(key, 'PX', idleMs))
    if (stored && lifeLeft(stored) <= 0) {
      await redis.del(key)
      return undefined
    }
    let caller = stored && (await subject(stored))
    if (stored && !caller) {
      stored = await renew(key, stored)
      caller = stored && (await subject(stored))
      if (!caller) await redis.del(key)
    }
    return stored && caller ? { stored, caller } : undefined
  }

  return {
    async load(c) {
      const id = idOf(c)
      if (id === undefined) return undefined
      const key = keyOf(id)
      const found = await find(key).catch((error) => {
        if (error instanceof AppError) throw error
        throw new AppError('UNAVAILABLE', 'session_unavailable', 'sessions are away for a moment', {}, error)
      })
      if (!found) {
        clearCookie(c)
        return undefined
      }
      const { stored, caller } = found
      return { session: sessionOf(stored), caller, accessToken: stored.accessToken, id: key }
    },
    async create(c, tokens) {
      const caller = await verify(tokens.accessToken)
      const id = randomBytes(32).toString('base64url')
      const csrfToken = randomBytes(32).toString('base64url')
      const stored: Stored = { ...withTokens(tokens), csrfToken, startedAt: now() }
      const key = keyOf(id)
      try {
        await redis.set(key, seal(key, stored), 'PX', idleMs)
        const before = idOf(c)
        if (before !== undefined) await redis.del(keyOf(before))
      } catch (error) {
        throw new AppError('UNAVAILABLE', 'session_unavailable', 'sessions are away for a moment', {}, error)
      }
      setCookie(c, id)
      const call = c.get('call')
      call.caller = caller
      call.authorization = `Bearer ${tokens.accessToken}`
      c.set('session', sessionOf(stored))
      return sessionOf(stored)
    },
    async destroy(c) {
      const id = idOf(c)
      clearCookie(c)
      c.set('session', undefined)
      const call = c.get('call')
      call.caller = anonymous
      call.authorization = undefined
      if (id === undefined) return undefined
      const key = keyOf(id)
      try {
        return open(key, await redis.getdel(key))?.refreshToken
      } catch (error) {
        throw new AppError('UNAVAILABLE', 'session_unavailable', 'sessions are away for a moment', {}, error)
      }
    },
  }
}
