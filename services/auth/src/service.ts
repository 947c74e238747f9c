import { createVerifier, type Verifier } from '@haat/kit/auth'
import { unauthenticated } from '@haat/kit/errors'
import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { AuthServiceDefinition } from '@haat/proto/auth/v1/auth'
import type { AuthConfig } from './config.ts'
import { type AuthContext, createContext } from './context.ts'
import { isSessionOpen } from './db/sessions.ts'
import { events } from './events/index.ts'
import { rotateKeys } from './jobs/rotate-keys.ts'
import { sweep } from './jobs/sweep.ts'
import { rpc } from './rpc/index.ts'

/** Starts auth; `overrides` replace parts of the context in tests. */
export const startAuth = (config: AuthConfig, overrides: Partial<AuthContext> = {}): Promise<Service> =>
  startService<AuthContext>('auth', config, async (chassis) => {
    const ctx = { ...(await createContext(config, chassis, overrides)), ...overrides }
    return {
      ctx,
      rpcs: [implement(AuthServiceDefinition, rpc)],
      events,
      jobs: [rotateKeys, sweep],
      verify: createOwnVerifier(ctx, config.AUTH_ISSUER),
    }
  })

/**
 * Verifies by the service's own keys, and looks at the session too: here, where accounts and roles are changed, a session
 * that ended counts at once and not when its token expires.
 */
function createOwnVerifier(ctx: AuthContext, issuer: string): Verifier {
  const verify = createVerifier({ issuer, fetchJwks: ctx.keys.published, now: ctx.now })
  return async (token) => {
    const caller = await verify(token)
    if (caller.sessionId && !(await isSessionOpen(ctx.db, caller.sessionId, ctx.now())))
      throw unauthenticated('token_invalid', 'the session has ended')
    return caller
  }
}
