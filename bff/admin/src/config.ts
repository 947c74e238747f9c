import { address, defineConfig } from '@haat/kit/config'
import { bff } from '@haat/kit/http/config'

export const loadConfig = defineConfig('bff-admin', {
  ...bff,
  VENDOR_ADDR: address('vendor'),
  CATALOG_ADDR: address('catalog'),
  INVENTORY_ADDR: address('inventory'),
  PROMOTION_ADDR: address('promotion'),
  ORDER_ADDR: address('order'),
  PAYMENT_ADDR: address('payment'),
  SHIPPING_ADDR: address('shipping'),
  REVIEW_ADDR: address('review'),
  NOTIFICATION_ADDR: address('notification'),
})

export type AdminBffConfig = ReturnType<typeof loadConfig>
