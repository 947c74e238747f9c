import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { OrderServiceDefinition } from '@haat/proto/order/v1/order'
import type { OrderConfig } from './config.ts'
import { createContext, type OrderContext } from './context.ts'
import { events } from './events/index.ts'
import { deliverRefunds } from './jobs/deliver-refunds.ts'
import { recoverCheckouts } from './jobs/recover-checkouts.ts'
import { sweepIdempotencyKeys } from './jobs/sweep-idempotency-keys.ts'
import { rpc } from './rpc/index.ts'

/** Starts order; `overrides` replace parts of the context in tests. */
export const startOrder = (config: OrderConfig, overrides: Partial<OrderContext> = {}): Promise<Service> =>
  startService<OrderContext>('order', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(OrderServiceDefinition, rpc)],
    events,
    jobs: [recoverCheckouts, deliverRefunds, sweepIdempotencyKeys],
  }))
