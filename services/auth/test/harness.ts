import { newId } from '@haat/kit/id'
import { type AuthServiceClient, AuthServiceDefinition, type LoginResponse } from '@haat/proto/auth/v1/auth'
import { UserEmailVerificationRequested, UserPasswordResetRequested } from '@haat/proto/auth/v1/events'
import { type As, startTestService } from '@haat/testkit/service'
import type { Kysely } from 'kysely'
import { loadConfig } from '../src/config.ts'
import type { AuthContext } from '../src/context.ts'
import type { Database } from '../src/db/schema.ts'
import { startAuth } from '../src/service.ts'

export const PASSWORD = 'monsoon rickshaw 47'
export const ADMIN = { email: 'root@haat.test', password: 'kingfisher delta 12' }
export const SERVICES = { storefront: 'storefront-secret', order: ['order-secret-new', 'order-secret-old'] }

/** Auth on its own database, with its own keys: every token in these tests is one it issued. */
export async function startHarness(options: { env?: Record<string, string>; overrides?: Partial<AuthContext> } = {}) {
  let ahead = 0
  const now = () => new Date(Date.now() + ahead)
  const test = await startTestService({
    name: 'auth',
    load: loadConfig,
    start: startAuth,
    migrations: new URL('../migrations/', import.meta.url),
    overrides: { now, ...options.overrides },
    env: {
      KEY_ENCRYPTION_SECRET: 'sealing-secret-1',
      ARGON2_MEMORY_KIB: '64',
      LOGIN_FAILURES_PER_ADDRESS: '10',
      SERVICE_CREDENTIALS_JSON: JSON.stringify(SERVICES),
      BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
      BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
      ...options.env,
    },
  })
  // Looked up at each call: after a restart the service listens on another port.
  const as = (who?: As): AuthServiceClient =>
    new Proxy({} as AuthServiceClient, {
      get: (_, rpc) =>
        rpc === 'then'
          ? undefined
          : test.as<AuthServiceClient>(AuthServiceDefinition, who)[rpc as keyof AuthServiceClient],
    })
  const anyone = as()
  const serviceToken = async (clientId = 'storefront', clientSecret = SERVICES.storefront) =>
    (await anyone.issueServiceToken({ clientId, clientSecret })).accessToken
  const signedIn = (answer: LoginResponse) => ({
    userId: answer.user!.id,
    email: answer.user!.email,
    sessionId: answer.tokens!.sessionId,
    refreshToken: answer.tokens!.refreshToken,
    token: answer.tokens!.accessToken,
    claims: claimsOf(answer.tokens!.accessToken),
    client: as({ token: answer.tokens!.accessToken }),
  })
  const login = async (email: string, password = PASSWORD) => signedIn(await anyone.login({ email, password }))
  const newEmail = () => `p-${newId()}@haat.test`
  const register = async (email = newEmail()) =>
    signedIn(await anyone.register({ email, password: PASSWORD, name: 'Rahima Khatun' }))
  const mailed = (events: { data: { email: string; token: string } }[], email: string) =>
    events.filter((event) => event.data.email === email).at(-1)?.data.token
  return {
    test,
    as,
    anyone,
    db: test.database.db as unknown as Kysely<Database>,
    now,
    /** Moves the service's clock ahead; service tokens asked for before may have expired then. */
    pass(seconds: number) {
      ahead += seconds * 1000
    },
    serviceToken,
    /** Auth as a BFF calls it, on nobody's behalf. */
    async bff() {
      return as({ serviceToken: await serviceToken() })
    },
    login,
    newEmail,
    register,
    admin: () => login(ADMIN.email, ADMIN.password),
    /** A new account with these roles, signed in after they were given. */
    async withRoles(...roles: string[]) {
      const { client } = await login(ADMIN.email, ADMIN.password)
      const { userId, email } = await register()
      for (const role of roles) await client.assignRole({ userId, role })
      return login(email)
    },
    resetToken: async (email: string) => mailed(await test.emitted(UserPasswordResetRequested), email),
    verificationToken: async (email: string) => mailed(await test.emitted(UserEmailVerificationRequested), email),
  }
}

export type Claims = {
  sub: string
  kind: string
  sid?: string
  roles?: string[]
  permissions?: string[]
  vendorId?: string
  vendorPermissions?: string[]
  iss: string
  aud: string
  iat: number
  exp: number
}

export const partsOf = (token: string) =>
  token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))) as [Record<string, unknown>, Claims]
export const claimsOf = (token: string): Claims => partsOf(token)[1]
