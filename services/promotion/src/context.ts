import type { Chassis } from '@haat/kit/service'
import type { Kysely } from 'kysely'
import type { PromotionConfig } from './config.ts'
import type { Database } from './db/schema.ts'

export type PromotionContext = {
  db: Kysely<Database>
  now: () => Date
  /** Length of a lease when the caller names none. */
  defaultTtlSeconds: number
}

export async function createContext(config: PromotionConfig, chassis: Chassis): Promise<PromotionContext> {
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  return { db, now: () => new Date(), defaultTtlSeconds: config.COUPON_HOLD_TTL_MINUTES * 60 }
}
