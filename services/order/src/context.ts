import type { Log } from '@haat/kit/log'
import type { Chassis } from '@haat/kit/service'
import { type CartServiceClient, CartServiceDefinition } from '@haat/proto/cart/v1/cart'
import { type InventoryServiceClient, InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { type PaymentServiceClient, PaymentServiceDefinition } from '@haat/proto/payment/v1/payment'
import { type PromotionServiceClient, PromotionServiceDefinition } from '@haat/proto/promotion/v1/promotion'
import { type VendorServiceClient, VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { Kysely } from 'kysely'
import type { OrderConfig } from './config.ts'
import type { Database } from './db/schema.ts'
import { newOrderNo } from './domain/order-no.ts'
import type { TaxTable } from './domain/tax.ts'

export type OrderContext = {
  db: Kysely<Database>
  log: Log
  cart: CartServiceClient
  inventory: InventoryServiceClient
  payment: PaymentServiceClient
  promotion: PromotionServiceClient
  vendor: VendorServiceClient
  now: () => Date
  newOrderNo: () => string
  taxes: TaxTable
  paymentTtlSeconds: number
  recoverySeconds: number
  acceptHours: number
}

/** The provider behind payment is slower than our own services. */
const PAYMENT_TIMEOUT_MS = 10_000

export async function createContext(config: OrderConfig, chassis: Chassis): Promise<OrderContext> {
  const { db } = await chassis.postgres<Database>(new URL('../migrations/', import.meta.url))
  return {
    db,
    log: chassis.log,
    cart: chassis.connect<CartServiceClient>(CartServiceDefinition, config.CART_ADDR),
    inventory: chassis.connect<InventoryServiceClient>(InventoryServiceDefinition, config.INVENTORY_ADDR),
    payment: chassis.connect<PaymentServiceClient>(PaymentServiceDefinition, config.PAYMENT_ADDR, {
      timeoutMs: PAYMENT_TIMEOUT_MS,
    }),
    promotion: chassis.connect<PromotionServiceClient>(PromotionServiceDefinition, config.PROMOTION_ADDR),
    vendor: chassis.connect<VendorServiceClient>(VendorServiceDefinition, config.VENDOR_ADDR),
    now: () => new Date(),
    newOrderNo: () => newOrderNo(config.ORDER_NO_PREFIX),
    taxes: { rates: config.TAX_RATES_JSON, included: config.PRICES_INCLUDE_TAX },
    paymentTtlSeconds: config.PAYMENT_TTL_MINUTES * 60,
    recoverySeconds: config.CHECKOUT_RECOVERY_SECONDS,
    acceptHours: config.VENDOR_ACCEPT_HOURS,
  }
}
