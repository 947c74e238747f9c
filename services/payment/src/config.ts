import { broker, defineConfig, grpcServer, int, postgres, text } from '@haat/kit/config'
import { z } from 'zod'

export const loadConfig = defineConfig('payment', {
  ...grpcServer,
  ...postgres,
  ...broker,
  /** Stripe's secret key. */
  STRIPE_KEY: text(),
  /** Stripe's public key, handed to browsers. */
  STRIPE_PUBLISHABLE_KEY: text(),
  /** Where Stripe's API answers; the emulator's URL in development. */
  STRIPE_API_URL: z.url().default('https://api.stripe.com'),
  /** Country of a vendor's connected account when the payout names none. */
  STRIPE_ACCOUNT_COUNTRY: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .default('US'),
  /** Longest wait for one answer of the provider; a caller's shorter deadline wins. */
  STRIPE_TIMEOUT_MS: int(10_000, 100),
  /** Signing secret of the webhook endpoint. */
  WEBHOOK_SECRET: text(),
  /** The secret before it, while it is being rotated. */
  WEBHOOK_SECRET_PREVIOUS: z.string().optional(),
  /** An unpaid intent is asked about this long after it was made, then ever more rarely. */
  RECONCILE_AFTER_SECONDS: int(120, 1),
})

export type PaymentConfig = ReturnType<typeof loadConfig>
