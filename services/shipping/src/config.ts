import { broker, defineConfig, flag, grpcServer, int, postgres } from '@haat/kit/config'
import { z } from 'zod'
import { carrierKeys } from './carriers/keys.ts'

export const loadConfig = defineConfig('shipping', {
  ...grpcServer,
  ...postgres,
  ...broker,
  /** Where parcels start when nobody says, ISO 3166-1 alpha-2. */
  DEFAULT_ORIGIN: z
    .string()
    .regex(/^[A-Z]{2}$/, 'is not a country code')
    .default('BD'),
  /** Keys, webhook secrets and sender of each carrier; see carriers/keys.ts. */
  CARRIER_KEYS_JSON: carrierKeys(),
  /** How long calculated rates are kept. */
  RATES_CACHE_SECONDS: int(300),
  /** Development: parcels of the built-in carrier travel by themselves. */
  SIMULATE_SCANS: flag(false),
  /** Pause between two simulated scans of a parcel. */
  SIMULATE_STEP_SECONDS: int(30, 1),
})

export type ShippingConfig = ReturnType<typeof loadConfig>
