import { batched } from '@haat/kit/batched'
import type { Log } from '@haat/kit/log'
import type { Chassis } from '@haat/kit/service'
import { type CatalogServiceClient, CatalogServiceDefinition } from '@haat/proto/catalog/v1/catalog'
import { type InventoryServiceClient, InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { type OrderServiceClient, OrderServiceDefinition } from '@haat/proto/order/v1/order'
import { type PromotionServiceClient, PromotionServiceDefinition } from '@haat/proto/promotion/v1/promotion'
import { type ShippingServiceClient, ShippingServiceDefinition } from '@haat/proto/shipping/v1/shipping'
import { type VendorServiceClient, VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { CartConfig } from './config.ts'
import { type CartCache, openCartCache } from './db/cache.ts'
import { type Collections, openCollections } from './db/collections.ts'

export type CartContext = {
  db: Collections
  cache: CartCache
  catalog: Pick<CatalogServiceClient, 'batchGetVariants'>
  inventory: Pick<InventoryServiceClient, 'batchGetStock'>
  order: Pick<OrderServiceClient, 'getOrder' | 'quoteTax'>
  promotion: Pick<PromotionServiceClient, 'quote'>
  shipping: Pick<ShippingServiceClient, 'getRates'>
  vendor: Pick<VendorServiceClient, 'batchGetVendors'>
  log: Log
  now: () => Date
  /** Tells the relay that a document with pending events was written. */
  wakeEvents: Chassis['wakeEvents']
  ttlMs: number
  abandonedMs: number
  eventsMs: number
  defaultCurrency: string
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
// Names only decorate a summary, so a slow vendor service must not hold it up.
const NAMES_TIMEOUT_MS = 500
const NAMES_HOLD_MS = 500

export async function createContext(config: CartConfig, chassis: Chassis): Promise<CartContext> {
  const { db } = await chassis.mongo()
  const { connect, log } = chassis
  const catalog = connect<CatalogServiceClient>(CatalogServiceDefinition, config.CATALOG_ADDR)
  const inventory = connect<InventoryServiceClient>(InventoryServiceDefinition, config.INVENTORY_ADDR)
  const vendor = connect<VendorServiceClient>(VendorServiceDefinition, config.VENDOR_ADDR, {
    timeoutMs: NAMES_TIMEOUT_MS,
  })
  return {
    db: await openCollections(db),
    cache: openCartCache(chassis.redis(), config.CART_CACHE_SECONDS),
    catalog: {
      batchGetVariants: batched(catalog.batchGetVariants, { keys: 'skus', items: 'variants', keyOf: ({ sku }) => sku }),
    },
    inventory: {
      batchGetStock: batched(inventory.batchGetStock, { keys: 'skus', items: 'stocks', keyOf: ({ sku }) => sku }),
    },
    order: connect<OrderServiceClient>(OrderServiceDefinition, config.ORDER_ADDR),
    promotion: connect<PromotionServiceClient>(PromotionServiceDefinition, config.PROMOTION_ADDR),
    shipping: connect<ShippingServiceClient>(ShippingServiceDefinition, config.SHIPPING_ADDR),
    vendor: {
      batchGetVendors: batched(vendor.batchGetVendors, {
        keys: 'vendorIds',
        items: 'vendors',
        keyOf: ({ id }) => id,
        holdMs: NAMES_HOLD_MS,
      }),
    },
    log,
    now: () => new Date(),
    wakeEvents: chassis.wakeEvents,
    ttlMs: config.CART_TTL_DAYS * DAY_MS,
    abandonedMs: config.CART_ABANDONED_HOURS * HOUR_MS,
    eventsMs: config.CART_EVENTS_DAYS * DAY_MS,
    defaultCurrency: config.DEFAULT_CURRENCY,
  }
}
