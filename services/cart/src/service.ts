import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { CartServiceDefinition } from '@haat/proto/cart/v1/cart'
import type { CartConfig } from './config.ts'
import { type CartContext, createContext } from './context.ts'
import { events } from './events/index.ts'
import { sweepCarts } from './jobs/sweep-carts.ts'
import { rpc } from './rpc/index.ts'

/** Starts cart; `overrides` replace parts of the context in tests. */
export const startCart = (config: CartConfig, overrides: Partial<CartContext> = {}): Promise<Service> =>
  startService<CartContext>('cart', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(CartServiceDefinition, rpc)],
    events,
    jobs: [sweepCarts],
    eventCollections: ['carts'],
  }))
