import type { Chassis } from '@haat/kit/service'
import { type AuthServiceClient, AuthServiceDefinition } from '@haat/proto/auth/v1/auth'
import { type ProfileServiceClient, ProfileServiceDefinition } from '@haat/proto/profile/v1/profile'
import { type VendorServiceClient, VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { Kysely } from 'kysely'
import { type Providers, selectProviders } from './channels/select.ts'
import type { NotificationConfig } from './config.ts'
import type { Database } from './db/schema.ts'
import { readShipped, type Shipped, seedTemplates } from './db/seed-templates.ts'
import { createSecrets, type Secrets } from './domain/secrets.ts'
import { createOutbound, type Outbound } from './outbound.ts'

export type NotificationContext = {
  db: Kysely<Database>
  auth: AuthServiceClient
  profile: ProfileServiceClient
  vendor: VendorServiceClient
  providers: Providers
  outbound: Outbound
  secrets: Secrets
  now: () => Date
  /** The texts that come with this release. */
  shipped: readonly Shipped[]
  site: { name: string; storefront: string; vendor: string }
  /** Where one-click unsubscriptions are posted to, if anywhere. */
  unsubscribePostUrl: string | undefined
  timeZone: string
  pushPublicKey: string | undefined
  /** The development mailbox is on: bodies of confidential messages are kept and shown. */
  showsSecrets: boolean
  messageRetrySeconds: readonly number[]
  webhookRetrySeconds: readonly number[]
  retentionDays: number
  /** Runs the job that works off a queue without waiting for its timer. */
  runSoon: (job: 'send-messages' | 'expand-notices' | 'deliver-webhooks') => void
}

export async function createContext(config: NotificationConfig, chassis: Chassis): Promise<NotificationContext> {
  const outbound = createOutbound({ allowPrivate: config.ALLOW_PRIVATE_WEBHOOKS })
  const providers = selectProviders(config, outbound)
  for (const provider of Object.values(providers)) chassis.onClose(() => provider.close?.())
  if (providers.email.name === 'dev') chassis.log.warn('e-mail is only stored, not sent')
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  const shipped = await readShipped()
  await seedTemplates(db, shipped)
  return {
    db,
    auth: chassis.connect<AuthServiceClient>(AuthServiceDefinition, config.AUTH_ADDR),
    profile: chassis.connect<ProfileServiceClient>(ProfileServiceDefinition, config.PROFILE_ADDR),
    vendor: chassis.connect<VendorServiceClient>(VendorServiceDefinition, config.VENDOR_ADDR),
    providers,
    outbound,
    secrets: createSecrets(config.NOTIFICATION_SECRET),
    now: () => new Date(),
    shipped,
    site: { name: config.SITE_NAME, storefront: config.STOREFRONT_URL, vendor: config.VENDOR_URL },
    unsubscribePostUrl: config.UNSUBSCRIBE_POST_URL,
    timeZone: config.TIME_ZONE,
    pushPublicKey: providers.push ? config.VAPID_PUBLIC_KEY : undefined,
    showsSecrets: config.MAILBOX_PORT !== undefined,
    messageRetrySeconds: config.MESSAGE_RETRY_SECONDS,
    webhookRetrySeconds: config.WEBHOOK_RETRY_SECONDS,
    retentionDays: config.MESSAGE_RETENTION_DAYS,
    runSoon: chassis.runSoon,
  }
}
