import type { Log } from '@haat/kit/log'
import type { Chassis } from '@haat/kit/service'
import { type CatalogServiceClient, CatalogServiceDefinition } from '@haat/proto/catalog/v1/catalog'
import { type OrderServiceClient, OrderServiceDefinition } from '@haat/proto/order/v1/order'
import type { ReviewConfig } from './config.ts'
import { type Collections, openCollections } from './db/collections.ts'

export type ReviewContext = {
  db: Collections
  catalog: Pick<CatalogServiceClient, 'batchGetMedia'>
  order: Pick<OrderServiceClient, 'hasPurchased'>
  log: Log
  now: () => Date
  /** Tells the relay that a document with pending events was written. */
  wakeEvents: Chassis['wakeEvents']
  autoApprove: boolean
}

export async function createContext(config: ReviewConfig, chassis: Chassis): Promise<ReviewContext> {
  const { db } = await chassis.mongo()
  return {
    db: await openCollections(db),
    catalog: chassis.connect<CatalogServiceClient>(CatalogServiceDefinition, config.CATALOG_ADDR),
    order: chassis.connect<OrderServiceClient>(OrderServiceDefinition, config.ORDER_ADDR),
    log: chassis.log,
    now: () => new Date(),
    wakeEvents: chassis.wakeEvents,
    autoApprove: config.AUTO_APPROVE_REVIEWS,
  }
}
