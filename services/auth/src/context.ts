import type { Chassis } from '@haat/kit/service'
import type { Kysely } from 'kysely'
import type { AuthConfig } from './config.ts'
import type { Database } from './db/schema.ts'
import { seedAdmin, seedPermissions, seedServiceAccounts } from './db/seed.ts'
import type { PasswordRule } from './domain/password-policy.ts'
import { parseSecrets } from './domain/secrets.ts'
import type { FailureLimit, UseLimit } from './domain/throttle.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { createSigningKeys, type SigningKeys } from './signing-keys.ts'
import { createSignToken, type SignToken } from './tokens.ts'

export type AuthContext = {
  db: Kysely<Database>
  now: () => Date
  passwords: Passwords
  passwordPolicy: readonly PasswordRule[]
  keys: SigningKeys
  signToken: SignToken
  sessions: { idleMs: number; maxMs: number }
  limits: {
    accountFailures: FailureLimit
    addressFailures: FailureLimit
    registrationsPerAddress: UseLimit
    resetsPerAddress: UseLimit
    mailsPerAccount: UseLimit
  }
}

const DAY_MS = 86_400_000
const HOUR_SECONDS = 3600

export async function createContext(
  config: AuthConfig,
  chassis: Chassis,
  overrides: Partial<AuthContext> = {},
): Promise<AuthContext> {
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  const now = overrides.now ?? (() => new Date())
  const keys = createSigningKeys({
    db,
    now,
    secrets: parseSecrets(config.KEY_ENCRYPTION_SECRET),
    rotationDays: config.KEY_ROTATION_DAYS,
  })
  const passwords = await createPasswords({
    memoryKib: config.ARGON2_MEMORY_KIB,
    passes: config.ARGON2_PASSES,
    lanes: config.ARGON2_LANES,
    concurrency: config.ARGON2_CONCURRENCY,
    peppers: parseSecrets(config.PASSWORD_PEPPER),
  })
  await keys.rotate()
  await seedPermissions(db)
  await seedServiceAccounts(db, config.SERVICE_CREDENTIALS_JSON, now())
  if (config.BOOTSTRAP_ADMIN_EMAIL && config.BOOTSTRAP_ADMIN_PASSWORD)
    await seedAdmin(db, passwords, config.BOOTSTRAP_ADMIN_EMAIL, config.BOOTSTRAP_ADMIN_PASSWORD, now())
  return {
    db,
    now,
    passwords,
    passwordPolicy: config.PASSWORD_POLICY,
    keys,
    signToken: createSignToken({ keys, issuer: config.AUTH_ISSUER, now }),
    sessions: { idleMs: config.REFRESH_TTL_DAYS * DAY_MS, maxMs: config.SESSION_MAX_DAYS * DAY_MS },
    limits: {
      accountFailures: { free: config.LOGIN_FAILURES_PER_ACCOUNT, forgiveEverySeconds: 600 },
      addressFailures: { free: config.LOGIN_FAILURES_PER_ADDRESS, forgiveEverySeconds: 30 },
      registrationsPerAddress: { max: config.REGISTRATIONS_PER_ADDRESS, windowSeconds: HOUR_SECONDS },
      resetsPerAddress: { max: config.RESETS_PER_ADDRESS, windowSeconds: HOUR_SECONDS },
      mailsPerAccount: { max: config.MAILS_PER_ACCOUNT, windowSeconds: HOUR_SECONDS },
    },
  }
}
