import { batched } from '@haat/kit/batched'
import type { BffChassis } from '@haat/kit/http/bff'
import { PART_HOLD_MS } from '@haat/kit/http/held-pages'
import type { Sessions } from '@haat/kit/http/sessions'
import type { AuthServiceClient } from '@haat/proto/auth/v1/auth'
import { type CartServiceClient, CartServiceDefinition } from '@haat/proto/cart/v1/cart'
import { type CatalogServiceClient, CatalogServiceDefinition } from '@haat/proto/catalog/v1/catalog'
import { type InventoryServiceClient, InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { type NotificationServiceClient, NotificationServiceDefinition } from '@haat/proto/notification/v1/notification'
import { type OrderServiceClient, OrderServiceDefinition } from '@haat/proto/order/v1/order'
import { type PaymentServiceClient, PaymentServiceDefinition } from '@haat/proto/payment/v1/payment'
import { type ProfileServiceClient, ProfileServiceDefinition } from '@haat/proto/profile/v1/profile'
import { type ReviewServiceClient, ReviewServiceDefinition } from '@haat/proto/review/v1/review'
import { type ShippingServiceClient, ShippingServiceDefinition } from '@haat/proto/shipping/v1/shipping'
import { type VendorServiceClient, VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { StorefrontConfig } from './config.ts'

/** The neighbours a page is made of. */
export type StorefrontContext = {
  sessions: Sessions
  auth: AuthServiceClient
  cart: CartServiceClient
  catalog: CatalogServiceClient
  inventory: InventoryServiceClient
  notification: NotificationServiceClient
  order: OrderServiceClient
  payment: PaymentServiceClient
  profile: ProfileServiceClient
  review: ReviewServiceClient
  shipping: ShippingServiceClient
  vendor: VendorServiceClient
}

export function createContext(config: StorefrontConfig, { connect, auth, sessions }: BffChassis): StorefrontContext {
  const catalog = connect<CatalogServiceClient>(CatalogServiceDefinition, config.CATALOG_ADDR)
  const inventory = connect<InventoryServiceClient>(InventoryServiceDefinition, config.INVENTORY_ADDR)
  const vendor = connect<VendorServiceClient>(VendorServiceDefinition, config.VENDOR_ADDR)
  return {
    sessions,
    auth,
    cart: connect(CartServiceDefinition, config.CART_ADDR),
    catalog: {
      ...catalog,
      batchGetProductsBySlug: batched(catalog.batchGetProductsBySlug, {
        keys: 'slugs',
        items: 'products',
        keyOf: ({ product }) => product!.slug,
        most: 40,
      }),
    },
    inventory: {
      ...inventory,
      batchGetStock: batched(inventory.batchGetStock, { keys: 'skus', items: 'stocks', keyOf: ({ sku }) => sku }),
    },
    notification: connect(NotificationServiceDefinition, config.NOTIFICATION_ADDR),
    order: connect(OrderServiceDefinition, config.ORDER_ADDR, { timeoutMs: 15_000 }),
    payment: connect(PaymentServiceDefinition, config.PAYMENT_ADDR, { timeoutMs: 15_000 }),
    profile: connect(ProfileServiceDefinition, config.PROFILE_ADDR),
    review: connect(ReviewServiceDefinition, config.REVIEW_ADDR),
    shipping: connect(ShippingServiceDefinition, config.SHIPPING_ADDR),
    vendor: {
      ...vendor,
      batchGetVendors: batched(vendor.batchGetVendors, {
        keys: 'vendorIds',
        items: 'vendors',
        keyOf: ({ id }) => id,
        holdMs: PART_HOLD_MS,
      }),
    },
  }
}
