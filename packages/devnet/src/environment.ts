import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { provisionDatabase } from '@haat/kit/postgres'
import type { Stores } from '@haat/stores/stores'
import { type Member, roster } from './roster.ts'
import type { Secrets } from './secrets.ts'

export type Environment = Record<string, string>

/** Where a development installation listens; every port is on the loopback address. */
export type Ports = {
  stripe: number
  media: number
  mailbox: number
  of(member: Member): { port: number; admin: number }
}

/** The well-known ports of a development installation. */
export const defaultPorts: Ports = {
  stripe: 12111,
  media: 8301,
  mailbox: 8302,
  of: (member) => ({ port: member.port, admin: member.adminPort }),
}

/** A block of sixty ports from `base` on, for tests that run side by side. */
export const portsFrom = (base: number): Ports => ({
  stripe: base,
  media: base + 1,
  mailbox: base + 2,
  of(member) {
    const index = roster.indexOf(member)
    return { port: base + 10 + index, admin: base + 35 + index }
  },
})

export const STRIPE_KEYS = { secret: 'sk_test_haat', publishable: 'pk_test_haat' }
export const ADMIN_LOGIN = { email: 'admin@haat.example', password: 'sesame-opens-4-staff' }

export const webhookSecret = (secrets: Secrets): string => `whsec_${secrets.get('payment.webhook')}`

const storefrontUrl = (ports: Ports) =>
  `http://127.0.0.1:${ports.of(roster.find((member) => member.name === 'bff-storefront')!).port}`

/**
 * The environment of one process, as a deployment would give it: addresses of all neighbours, its own stores with its own
 * least-privilege roles, its own secrets. Creates its database when it has none.
 */
export async function environmentOf(
  member: Member,
  options: { stores: Stores; secrets: Secrets; dataDir: string; ports: Ports; prefix?: string; extra?: Environment },
): Promise<Environment> {
  const { stores, secrets, ports } = options
  const { port, admin } = ports.of(member)
  const address = (name: string) => `127.0.0.1:${ports.of(roster.find((m) => m.name === name)!).port}`
  const env: Environment = {
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    ADMIN_PORT: String(admin),
    LOG_LEVEL: 'warn',
    SERVICE_CLIENT_ID: member.name,
    SERVICE_CLIENT_SECRET: secrets.get(`client.${member.name}`),
    RABBITMQ_URL: stores.urls.rabbitmq,
    ...(options.prefix ? { EVENT_PREFIX: options.prefix } : {}),
  }
  if (member.kind === 'service') env.EVENT_SECRET = secrets.get('events')
  env[member.kind === 'bff' ? 'HTTP_PORT' : 'GRPC_PORT'] = String(port)
  for (const other of roster)
    if (other.kind === 'service') env[`${other.name.toUpperCase()}_ADDR`] = address(other.name)

  if (member.stores.includes('postgres')) {
    const passwordOf = (role: string) =>
      createHash('sha256').update(secrets.get('postgres')).update(role).digest('hex').slice(0, 32)
    const { url, migrateUrl } = await provisionDatabase(stores.urls.postgres, {
      database: `${options.prefix ? `${options.prefix}_` : ''}haat_${member.name}`,
      // Roles belong to the whole cluster: another installation there has other passwords.
      role: `${options.prefix ? `${options.prefix}_` : ''}haat_${member.name}`,
      password: passwordOf(member.name),
      ownerPassword: passwordOf(`${member.name}:owner`),
    })
    env.POSTGRES_URL = url
    env.POSTGRES_MIGRATE_URL = migrateUrl
    env.POSTGRES_POOL_SIZE = '8'
  }
  if (member.stores.includes('mongo')) {
    env.MONGO_URL = stores.urls.mongo
    env.MONGO_DATABASE = `${options.prefix ? `${options.prefix}_` : ''}haat_${member.name}`
  }
  if (member.stores.includes('redis')) {
    env.REDIS_URL = stores.urls.redis
    // All processes may share one event loop here; its own delays are no outage of Redis.
    env.REDIS_TIMEOUT_MS = '2000'
  }
  return { ...env, ...own(member, options), ...options.extra }
}

/** What only one process needs. */
function own(
  member: Member,
  { secrets, dataDir, ports }: { secrets: Secrets; dataDir: string; ports: Ports },
): Environment {
  switch (member.name) {
    case 'auth':
      return {
        KEY_ENCRYPTION_SECRET: secrets.get('auth.keys'),
        SERVICE_CREDENTIALS_JSON: JSON.stringify(
          Object.fromEntries(roster.map(({ name }) => [name, secrets.get(`client.${name}`)])),
        ),
        // Everybody comes from one address here.
        LOGIN_FAILURES_PER_ADDRESS: '100000',
        REGISTRATIONS_PER_ADDRESS: '100000',
        RESETS_PER_ADDRESS: '100000',
        BOOTSTRAP_ADMIN_EMAIL: ADMIN_LOGIN.email,
        BOOTSTRAP_ADMIN_PASSWORD: ADMIN_LOGIN.password,
      }
    case 'vendor':
      return { BANK_KEYS: `v1:${secrets.get('vendor.bank')}`, RETURN_WINDOW_DAYS: '0', BANK_CHANGE_HOLD_HOURS: '0' }
    case 'catalog':
      return {
        MEDIA_DRIVER: 'disk',
        MEDIA_DIR: join(dataDir, 'media'),
        MEDIA_PORT: String(ports.media),
        MEDIA_PUBLIC_URL: `http://127.0.0.1:${ports.media}`,
        MEDIA_SIGNING_KEY: secrets.get('catalog.media'),
      }
    case 'order':
      return {
        TAX_RATES_JSON: JSON.stringify({
          BD: { standard: 1500, reduced: 500, zero: 0, shipping: 1500 },
          GB: { standard: 2000, reduced: 500, zero: 0, shipping: 2000 },
        }),
        PRICES_INCLUDE_TAX: 'true',
      }
    case 'payment':
      return {
        STRIPE_KEY: STRIPE_KEYS.secret,
        STRIPE_SUPPRESS_NOTICES: 'true',
        STRIPE_PUBLISHABLE_KEY: STRIPE_KEYS.publishable,
        STRIPE_API_URL: `http://127.0.0.1:${ports.stripe}`,
        WEBHOOK_SECRET: webhookSecret(secrets),
      }
    case 'shipping':
      return {
        SIMULATE_SCANS: 'true',
        CARRIER_KEYS_JSON: JSON.stringify({ table: { webhookSecrets: [secrets.get('shipping.webhook')] } }),
      }
    case 'notification':
      return {
        NOTIFICATION_SECRET: secrets.get('notification'),
        EMAIL_PROVIDER: 'dev',
        MAILBOX_PORT: String(ports.mailbox),
        STOREFRONT_URL: storefrontUrl(ports),
        VENDOR_URL: storefrontUrl(ports),
        UNSUBSCRIBE_POST_URL: `${storefrontUrl(ports)}/v1/notifications/unsubscribe`,
        ALLOW_PRIVATE_WEBHOOKS: 'true',
      }
    default:
      return member.kind === 'bff'
        ? {
            SESSION_SECRET: secrets.get(`session.${member.name}`),
            COOKIE_SECURE: 'false',
            // Nobody else's requests are on their way when it stops.
            DRAIN_SECONDS: '0',
            // Everybody comes from one address here; production keeps the defaults.
            RATE_LIMITS: JSON.stringify({ '*': { address: '1000000/60', subject: '1000000/60' } }),
          }
        : {}
  }
}
