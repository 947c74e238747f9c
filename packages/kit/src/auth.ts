import { createLocalJWKSet, errors, type JWK, jwtVerify } from 'jose'
import { unauthenticated } from './errors.ts'

/** Who a request speaks for. */
export type Caller = {
  kind: 'anonymous' | 'user' | 'service'
  /** User id, or the service account's name; empty when anonymous. */
  id: string
  sessionId: string | undefined
  roles: readonly string[]
  permissions: readonly string[]
  /** The vendor the person works for, with the permissions inside it; `*` is all (the owner). */
  vendorId: string | undefined
  vendorPermissions: readonly string[]
  /** True for Haat's own services, false for internal tools and people. */
  isInternal: boolean
}

export const anonymous: Caller = {
  kind: 'anonymous',
  id: '',
  sessionId: undefined,
  roles: [],
  permissions: [],
  vendorId: undefined,
  vendorPermissions: [],
  isInternal: false,
}

/** Claims of an access token, as auth signs them and every process verifies them. */
export type TokenClaims = {
  sub: string
  /** `user`: a person; `service`: a Haat service; `tool`: a service account of an internal tool. */
  kind: 'user' | 'service' | 'tool'
  sid?: string
  roles?: string[]
  permissions?: string[]
  vendorId?: string
  vendorPermissions?: string[]
}

export const TOKEN_AUDIENCE = 'haat'
export const TOKEN_TYPE = 'at+jwt'

/** Verifies a token and answers its subject; UNAUTHENTICATED `token_invalid` or `token_expired` otherwise. */
export type Verifier = (token: string) => Promise<Caller>

export type JwkSet = { keys: JWK[] }

const REFETCH_AFTER_MS = 5_000
const KEEP_MS = 300_000
const CACHE_SIZE = 5_000

/**
 * A verifier over auth's published keys: EdDSA only, `typ`, `iss` and `aud` checked, embedded keys ignored. The key set is
 * kept for five minutes and asked again for an unknown `kid`; a verified token is remembered until it expires.
 */
export function createVerifier(options: {
  issuer: string
  fetchJwks: () => Promise<JwkSet>
  now?: () => Date
}): Verifier {
  const now = options.now ?? (() => new Date())
  const verified = new Map<string, { caller: Caller; expires: number }>()
  let keys: { set: ReturnType<typeof createLocalJWKSet>; at: number } | undefined

  const load = async (olderThanMs: number) => {
    if (!keys || now().getTime() - keys.at > olderThanMs)
      keys = { set: createLocalJWKSet(await options.fetchJwks()), at: now().getTime() }
    return keys.set
  }
  const verify = async (token: string, set: ReturnType<typeof createLocalJWKSet>) =>
    jwtVerify<TokenClaims>(token, set, {
      algorithms: ['EdDSA'],
      issuer: options.issuer,
      audience: TOKEN_AUDIENCE,
      typ: TOKEN_TYPE,
      requiredClaims: ['exp', 'sub'],
      currentDate: now(),
    })

  return async (token) => {
    const known = verified.get(token)
    if (known) {
      if (known.expires > now().getTime()) return known.caller
      verified.delete(token)
      throw unauthenticated('token_expired', 'the access token has expired')
    }
    let payload: TokenClaims & { exp?: number }
    const keySet = await load(KEEP_MS)
    try {
      payload = await verify(token, keySet)
        .catch(async (error) => {
          if (error instanceof errors.JWKSNoMatchingKey) return verify(token, await load(REFETCH_AFTER_MS))
          throw error
        })
        .then((result) => result.payload)
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw unauthenticated('token_expired', 'the access token has expired')
      if (error instanceof errors.JOSEError) throw unauthenticated('token_invalid', 'the access token is not valid')
      throw error
    }
    const caller: Caller = {
      kind: payload.kind === 'user' ? 'user' : 'service',
      id: payload.sub,
      sessionId: payload.sid,
      roles: payload.roles ?? [],
      permissions: payload.permissions ?? [],
      vendorId: payload.vendorId,
      vendorPermissions: payload.vendorPermissions ?? [],
      isInternal: payload.kind === 'service',
    }
    if (verified.size >= CACHE_SIZE) verified.delete(verified.keys().next().value!)
    verified.set(token, { caller, expires: (payload.exp ?? 0) * 1000 })
    return caller
  }
}

/**
 * True for the BFFs: they prove themselves like services, but what they ask is always asked on behalf of whoever is at the
 * other end, so their own token opens nothing that is for services only.
 */
export const isEdge = (service: string): boolean => service.startsWith('bff-')

/** `Bearer x` → `x`. */
export function bearer(header: string | undefined): string | undefined {
  const match = header?.match(/^Bearer ([A-Za-z0-9._~+/=-]+)$/i)
  if (header && !match) throw unauthenticated('token_invalid', 'the authorization header must be "Bearer <token>"')
  return match?.[1]
}
