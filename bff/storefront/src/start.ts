import { type Bff, startBff } from '@haat/kit/http/bff'
import type { StorefrontConfig } from './config.ts'
import { createContext, type StorefrontContext } from './context.ts'
import { accountRoutes } from './routes/account.ts'
import { cartRoutes } from './routes/cart.ts'
import { catalogRoutes } from './routes/catalog.ts'
import { meRoutes } from './routes/me.ts'
import { orderRoutes } from './routes/orders.ts'
import { paymentRoutes } from './routes/payments.ts'
import { reviewRoutes } from './routes/reviews.ts'
import { shippingRoutes } from './routes/shipping.ts'
import { vendorRoutes } from './routes/vendors.ts'

/** Starts the shop's API; `overrides` replace neighbours in tests. */
export const startStorefront = (config: StorefrontConfig, overrides: Partial<StorefrontContext> = {}): Promise<Bff> =>
  startBff(
    {
      name: 'bff-storefront',
      title: 'Haat storefront',
      description: 'The shop: catalogue, cart, checkout, orders, reviews, accounts.',
      config,
    },
    (chassis) => {
      const ctx = { ...createContext(config, chassis), ...overrides }
      return [
        accountRoutes(ctx),
        meRoutes(ctx),
        catalogRoutes(ctx),
        vendorRoutes(ctx),
        cartRoutes(ctx),
        orderRoutes(ctx),
        paymentRoutes(ctx),
        shippingRoutes(ctx),
        reviewRoutes(ctx),
      ]
    },
  )
