import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { PaymentServiceDefinition } from '@haat/proto/payment/v1/payment'
import type { PaymentConfig } from './config.ts'
import { createContext, type PaymentContext } from './context.ts'
import { events } from './events/index.ts'
import { jobs } from './jobs/index.ts'
import { rpc } from './rpc/index.ts'

/** Starts payment; `overrides` replace parts of the context in tests. */
export const startPayment = (config: PaymentConfig, overrides: Partial<PaymentContext> = {}): Promise<Service> =>
  startService<PaymentContext>('payment', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(PaymentServiceDefinition, rpc)],
    events,
    jobs,
  }))
