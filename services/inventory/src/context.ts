import type { Chassis } from '@haat/kit/service'
import { type CatalogServiceClient, CatalogServiceDefinition } from '@haat/proto/catalog/v1/catalog'
import type { Kysely } from 'kysely'
import type { InventoryConfig } from './config.ts'
import type { Database } from './db/schema.ts'

export type InventoryContext = {
  db: Kysely<Database>
  catalog: Pick<CatalogServiceClient, 'getProduct'>
  now: () => Date
  /** Length of a lease when the caller names none. */
  defaultTtlSeconds: number
}

export async function createContext(config: InventoryConfig, chassis: Chassis): Promise<InventoryContext> {
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  return {
    db,
    catalog: chassis.connect<CatalogServiceClient>(CatalogServiceDefinition, config.CATALOG_ADDR),
    now: () => new Date(),
    defaultTtlSeconds: config.RESERVATION_TTL_MINUTES * 60,
  }
}
