import type { Chassis } from '@haat/kit/service'
import type { Kysely } from 'kysely'
import type { PaymentConfig } from './config.ts'
import type { Database } from './db/schema.ts'
import type { Provider } from './provider/provider.ts'
import { createStripe } from './provider/stripe.ts'

export type PaymentContext = {
  db: Kysely<Database>
  provider: Provider
  now: () => Date
  /** Age at which an unpaid intent is asked about for the first time. */
  reconcileAfterSeconds: number
  /** Country of a connected account when nobody names one. */
  accountCountry: string
}

export async function createContext(config: PaymentConfig, chassis: Chassis): Promise<PaymentContext> {
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  const stripe = createStripe({
    secretKey: config.STRIPE_KEY,
    publishableKey: config.STRIPE_PUBLISHABLE_KEY,
    apiUrl: config.STRIPE_API_URL,
    timeoutMs: config.STRIPE_TIMEOUT_MS,
    webhookSecrets: [config.WEBHOOK_SECRET, config.WEBHOOK_SECRET_PREVIOUS].filter((secret) => secret !== undefined),
  })
  chassis.onClose(stripe.close)
  return {
    db,
    provider: stripe.provider,
    now: () => new Date(),
    reconcileAfterSeconds: config.RECONCILE_AFTER_SECONDS,
    accountCountry: config.STRIPE_ACCOUNT_COUNTRY,
  }
}
