import { address, broker, defineConfig, grpcServer, int, mongo, redis } from '@haat/kit/config'
import { z } from 'zod'

export const loadConfig = defineConfig('cart', {
  ...grpcServer,
  ...mongo,
  ...redis,
  ...broker,
  CATALOG_ADDR: address('catalog'),
  INVENTORY_ADDR: address('inventory'),
  ORDER_ADDR: address('order'),
  PROMOTION_ADDR: address('promotion'),
  SHIPPING_ADDR: address('shipping'),
  VENDOR_ADDR: address('vendor'),
  /** How long a cart lives after its last change. */
  CART_TTL_DAYS: int(30, 1),
  /** After this pause a cart with lines counts as abandoned. */
  CART_ABANDONED_HOURS: int(24, 1),
  /** How long the trail of changes is kept. */
  CART_EVENTS_DAYS: int(30, 1),
  /** How long Redis may hold a cart; bounds how old GetCart's answer can be when Redis could not be told of a change. */
  CART_CACHE_SECONDS: int(2, 1),
  /** ISO 4217; of the zeros that an empty cart's summary shows. */
  DEFAULT_CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('BDT'),
})

export type CartConfig = ReturnType<typeof loadConfig>
