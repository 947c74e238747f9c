import { type Bff, startBff } from '@haat/kit/http/bff'
import { sessionRoutes } from '@haat/kit/http/session-routes'
import type { AdminBffConfig } from './config.ts'
import { type AdminBffContext, createContext } from './context.ts'
import { catalogRoutes } from './routes/catalog.ts'
import { couponRoutes } from './routes/coupons.ts'
import { messageRoutes } from './routes/messages.ts'
import { moneyRoutes } from './routes/money.ts'
import { orderRoutes } from './routes/orders.ts'
import { reviewRoutes } from './routes/reviews.ts'
import { stockRoutes } from './routes/stock.ts'
import { userRoutes } from './routes/users.ts'
import { vendorRoutes } from './routes/vendors.ts'

/** Starts the back office's API; `overrides` replace neighbours in tests. */
export const startAdminBff = (config: AdminBffConfig, overrides: Partial<AdminBffContext> = {}): Promise<Bff> =>
  startBff(
    {
      name: 'bff-admin',
      title: 'Haat admin',
      description:
        'For platform staff. Signing in needs a staff role; what each route allows depends on its permission.',
      config,
      sameSite: 'Strict',
    },
    (chassis) => {
      const ctx = { ...createContext(config, chassis), ...overrides }
      return [
        sessionRoutes({ ...ctx, roles: ['super_admin', 'staff'] }),
        vendorRoutes(ctx),
        catalogRoutes(ctx),
        orderRoutes(ctx),
        moneyRoutes(ctx),
        couponRoutes(ctx),
        reviewRoutes(ctx),
        stockRoutes(ctx),
        userRoutes(ctx),
        messageRoutes(ctx),
      ]
    },
  )
