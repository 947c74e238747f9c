import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { ShippingServiceDefinition } from '@haat/proto/shipping/v1/shipping'
import type { ShippingConfig } from './config.ts'
import { createContext, type ShippingContext } from './context.ts'
import { events } from './events/index.ts'
import { simulateScans } from './jobs/simulate-scans.ts'
import { sweepRatesCache } from './jobs/sweep-rates-cache.ts'
import { voidLabels } from './jobs/void-labels.ts'
import { rpc } from './rpc/index.ts'

/** Starts shipping; `overrides` replace parts of the context in tests. */
export const startShipping = (config: ShippingConfig, overrides: Partial<ShippingContext> = {}): Promise<Service> =>
  startService<ShippingContext>('shipping', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(ShippingServiceDefinition, rpc)],
    events,
    jobs: [voidLabels, sweepRatesCache, ...(config.SIMULATE_SCANS ? [simulateScans] : [])],
  }))
