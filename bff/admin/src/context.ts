import type { BffChassis } from '@haat/kit/http/bff'
import type { Sessions } from '@haat/kit/http/sessions'
import type { AuthServiceClient } from '@haat/proto/auth/v1/auth'
import { type CatalogServiceClient, CatalogServiceDefinition } from '@haat/proto/catalog/v1/catalog'
import { type InventoryServiceClient, InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { type NotificationServiceClient, NotificationServiceDefinition } from '@haat/proto/notification/v1/notification'
import { type OrderServiceClient, OrderServiceDefinition } from '@haat/proto/order/v1/order'
import { type PaymentServiceClient, PaymentServiceDefinition } from '@haat/proto/payment/v1/payment'
import { type PromotionServiceClient, PromotionServiceDefinition } from '@haat/proto/promotion/v1/promotion'
import { type ReviewServiceClient, ReviewServiceDefinition } from '@haat/proto/review/v1/review'
import { type ShippingServiceClient, ShippingServiceDefinition } from '@haat/proto/shipping/v1/shipping'
import { type VendorServiceClient, VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { AdminBffConfig } from './config.ts'

/** The neighbours a back-office screen is made of. */
export type AdminBffContext = {
  sessions: Sessions
  auth: AuthServiceClient
  catalog: CatalogServiceClient
  inventory: InventoryServiceClient
  notification: NotificationServiceClient
  order: OrderServiceClient
  payment: PaymentServiceClient
  promotion: PromotionServiceClient
  review: ReviewServiceClient
  shipping: ShippingServiceClient
  vendor: VendorServiceClient
}

export const createContext = (config: AdminBffConfig, { connect, auth, sessions }: BffChassis): AdminBffContext => ({
  sessions,
  auth,
  catalog: connect(CatalogServiceDefinition, config.CATALOG_ADDR),
  inventory: connect(InventoryServiceDefinition, config.INVENTORY_ADDR, { timeoutMs: 15_000 }),
  notification: connect(NotificationServiceDefinition, config.NOTIFICATION_ADDR),
  order: connect(OrderServiceDefinition, config.ORDER_ADDR, { timeoutMs: 15_000 }),
  payment: connect(PaymentServiceDefinition, config.PAYMENT_ADDR, { timeoutMs: 15_000 }),
  promotion: connect(PromotionServiceDefinition, config.PROMOTION_ADDR),
  review: connect(ReviewServiceDefinition, config.REVIEW_ADDR),
  shipping: connect(ShippingServiceDefinition, config.SHIPPING_ADDR),
  vendor: connect(VendorServiceDefinition, config.VENDOR_ADDR),
})
