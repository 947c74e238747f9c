import { type Bff, startBff } from '@haat/kit/http/bff'
import { sessionRoutes } from '@haat/kit/http/session-routes'
import type { VendorBffConfig } from './config.ts'
import { createContext, type VendorBffContext } from './context.ts'
import { couponRoutes } from './routes/coupons.ts'
import { inventoryRoutes } from './routes/inventory.ts'
import { moneyRoutes } from './routes/money.ts'
import { onboardingRoutes } from './routes/onboarding.ts'
import { orderRoutes } from './routes/orders.ts'
import { productRoutes } from './routes/products.ts'
import { reviewRoutes } from './routes/reviews.ts'
import { shippingRoutes } from './routes/shipping.ts'

/** Starts the sellers' API; `overrides` replace neighbours in tests. */
export const startVendorBff = (config: VendorBffConfig, overrides: Partial<VendorBffContext> = {}): Promise<Bff> =>
  startBff(
    {
      name: 'bff-vendor',
      title: 'Haat vendor',
      description:
        'For sellers: onboarding, products, stock, orders, money. Every route works on the vendor of the token.',
      config,
    },
    (chassis) => {
      const ctx = { ...createContext(config, chassis), ...overrides }
      return [
        sessionRoutes(ctx),
        onboardingRoutes(ctx),
        productRoutes(ctx),
        inventoryRoutes(ctx),
        orderRoutes(ctx),
        couponRoutes(ctx),
        moneyRoutes(ctx),
        reviewRoutes(ctx),
        shippingRoutes(ctx),
      ]
    },
  )
