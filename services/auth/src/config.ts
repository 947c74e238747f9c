import { broker, defineConfig, grpcServer, int, postgres, text } from '@haat/kit/config'
import { z } from 'zod'
import { parsePolicy } from './domain/password-policy.ts'

/** A variable whose text is read by `parse`; what it throws is reported as the variable's problem. */
const parsed = <T>(fallback: string, parse: (value: string) => T) =>
  z
    .string()
    .default(fallback)
    .transform((value, context) => {
      try {
        return parse(value)
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message })
        return z.NEVER
      }
    })

const secrets = z.string().min(1)
const credentials = z.record(z.string().min(1), z.union([secrets, z.array(secrets).min(1)]))

export const loadConfig = defineConfig('auth', {
  ...grpcServer,
  ...postgres,
  ...broker,
  /** Secrets that seal the signing keys, comma separated: the first seals, all of them open. */
  KEY_ENCRYPTION_SECRET: text(),
  /** How long a key signs. */
  KEY_ROTATION_DAYS: int(30, 1),
  /** A session ends when it is not used this long… */
  REFRESH_TTL_DAYS: int(7, 1),
  /** …and after this long in any case. */
  SESSION_MAX_DAYS: int(30, 1),
  /** Rules a new password must meet: `length:N, upper, lower, digit, symbol, common, personal`. */
  PASSWORD_POLICY: parsed('length:12,common,personal', parsePolicy),
  /** Secrets mixed into every password hash, comma separated: the first hashes, all of them verify. */
  PASSWORD_PEPPER: z.string().default(''),
  ARGON2_MEMORY_KIB: int(47_104, 8),
  ARGON2_PASSES: int(1, 1),
  ARGON2_LANES: int(1, 1),
  /** Hashes computed at once; more wait. */
  ARGON2_CONCURRENCY: int(2, 1),
  /** Failed sign-ins an account, and an address, has before it must wait. */
  LOGIN_FAILURES_PER_ACCOUNT: int(5, 1),
  LOGIN_FAILURES_PER_ADDRESS: int(50, 1),
  /** Registrations, and requests for reset mails, that one address may make in an hour. */
  REGISTRATIONS_PER_ADDRESS: int(30, 1),
  RESETS_PER_ADDRESS: int(30, 1),
  /** Mails of a kind that one account may cause in an hour. */
  MAILS_PER_ACCOUNT: int(5, 1),
  /** Haat's own services: `{"order":"secret"}`, or a list of secrets while one is being replaced. */
  SERVICE_CREDENTIALS_JSON: parsed('{}', (value) => credentials.parse(JSON.parse(value))),
  /** The first super_admin, made at start while there is none. */
  BOOTSTRAP_ADMIN_EMAIL: z.email().optional(),
  BOOTSTRAP_ADMIN_PASSWORD: z.string().min(12).optional(),
})

export type AuthConfig = ReturnType<typeof loadConfig>
