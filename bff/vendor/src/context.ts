import { notFound } from '@haat/kit/errors'
import type { BffChassis } from '@haat/kit/http/bff'
import type { HttpEnv } from '@haat/kit/http/context'
import type { Sessions } from '@haat/kit/http/sessions'
import type { AuthServiceClient } from '@haat/proto/auth/v1/auth'
import { type CatalogServiceClient, CatalogServiceDefinition } from '@haat/proto/catalog/v1/catalog'
import { type InventoryServiceClient, InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { type NotificationServiceClient, NotificationServiceDefinition } from '@haat/proto/notification/v1/notification'
import { type OrderServiceClient, OrderServiceDefinition } from '@haat/proto/order/v1/order'
import { type PromotionServiceClient, PromotionServiceDefinition } from '@haat/proto/promotion/v1/promotion'
import { type ReviewServiceClient, ReviewServiceDefinition } from '@haat/proto/review/v1/review'
import { type ShippingServiceClient, ShippingServiceDefinition } from '@haat/proto/shipping/v1/shipping'
import { type VendorServiceClient, VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { Context } from 'hono'
import type { VendorBffConfig } from './config.ts'

/** The neighbours a seller's screen is made of. */
export type VendorBffContext = {
  sessions: Sessions
  auth: AuthServiceClient
  catalog: CatalogServiceClient
  inventory: InventoryServiceClient
  notification: NotificationServiceClient
  order: OrderServiceClient
  promotion: PromotionServiceClient
  review: ReviewServiceClient
  shipping: ShippingServiceClient
  vendor: VendorServiceClient
}

export const createContext = (config: VendorBffConfig, { connect, auth, sessions }: BffChassis): VendorBffContext => ({
  sessions,
  auth,
  catalog: connect(CatalogServiceDefinition, config.CATALOG_ADDR, { timeoutMs: 20_000 }),
  inventory: connect(InventoryServiceDefinition, config.INVENTORY_ADDR),
  notification: connect(NotificationServiceDefinition, config.NOTIFICATION_ADDR),
  order: connect(OrderServiceDefinition, config.ORDER_ADDR, { timeoutMs: 15_000 }),
  promotion: connect(PromotionServiceDefinition, config.PROMOTION_ADDR),
  review: connect(ReviewServiceDefinition, config.REVIEW_ADDR),
  shipping: connect(ShippingServiceDefinition, config.SHIPPING_ADDR),
  vendor: connect(VendorServiceDefinition, config.VENDOR_ADDR),
})

/** The vendor of the path, which must be the token's own; any other answers like one that does not exist. */
export function ownVendor(c: Context<HttpEnv>, vendorId: string): string {
  if (c.get('call').caller.vendorId !== vendorId) throw notFound('vendor_not_found', 'no such vendor')
  return vendorId
}
