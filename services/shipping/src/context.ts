import type { Log } from '@haat/kit/log'
import type { Chassis } from '@haat/kit/service'
import type { Kysely } from 'kysely'
import { type Carriers, openCarriers } from './carriers/carriers.ts'
import type { ShippingConfig } from './config.ts'
import type { Database } from './db/schema.ts'

export type ShippingContext = {
  db: Kysely<Database>
  carriers: Carriers
  now: () => Date
  log: Log
  defaultOrigin: string
  ratesCacheSeconds: number
  simulateStepSeconds: number
}

export async function createContext(config: ShippingConfig, chassis: Chassis): Promise<ShippingContext> {
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  return {
    db,
    carriers: openCarriers(config.CARRIER_KEYS_JSON, config.DEFAULT_ORIGIN),
    now: () => new Date(),
    log: chassis.log,
    defaultOrigin: config.DEFAULT_ORIGIN,
    ratesCacheSeconds: config.RATES_CACHE_SECONDS,
    simulateStepSeconds: config.SIMULATE_STEP_SECONDS,
  }
}
