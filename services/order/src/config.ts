import { address, broker, defineConfig, flag, grpcServer, int, postgres } from '@haat/kit/config'
import { z } from 'zod'
import { parseTaxRates } from './domain/tax.ts'

export const loadConfig = defineConfig('order', {
  ...grpcServer,
  ...postgres,
  ...broker,
  CART_ADDR: address('cart'),
  INVENTORY_ADDR: address('inventory'),
  PAYMENT_ADDR: address('payment'),
  PROMOTION_ADDR: address('promotion'),
  VENDOR_ADDR: address('vendor'),
  /** First part of every order number: HAAT-7K3M9-QXW2P. */
  ORDER_NO_PREFIX: z
    .string()
    .regex(/^[A-Z0-9]{1,12}$/, 'must be 1 to 12 capital letters and digits')
    .default('HAAT'),
  /** How long an unpaid order holds its goods and coupons; a day at most. */
  PAYMENT_TTL_MINUTES: z.coerce.number().int().min(1).max(1440).default(15),
  /** A checkout that stands still this long before it is payable is undone. */
  CHECKOUT_RECOVERY_SECONDS: int(120, 1),
  /** Within how many hours of payment a vendor should accept. */
  VENDOR_ACCEPT_HOURS: int(48, 1),
  /** Tax in basis points by country and tax class: {"BD":{"standard":1500,"reduced":500,"zero":0,"shipping":1500}}. */
  TAX_RATES_JSON: z.string().default('{}').transform(parseTaxRates),
  PRICES_INCLUDE_TAX: flag(true),
})

export type OrderConfig = ReturnType<typeof loadConfig>
