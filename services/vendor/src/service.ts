import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { VendorConfig } from './config.ts'
import { createContext, type VendorContext } from './context.ts'
import { events } from './events/index.ts'
import { checkBooks } from './jobs/check-books.ts'
import { makeEarningsEligible } from './jobs/make-earnings-eligible.ts'
import { rotateKeys } from './jobs/rotate-keys.ts'
import { sweepIdempotencyKeys } from './jobs/sweep-idempotency-keys.ts'
import { rpc } from './rpc/index.ts'

/** Starts vendor; `overrides` replace parts of the context in tests. */
export const startVendor = (config: VendorConfig, overrides: Partial<VendorContext> = {}): Promise<Service> =>
  startService<VendorContext>('vendor', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(VendorServiceDefinition, rpc)],
    events,
    jobs: [makeEarningsEligible, rotateKeys, sweepIdempotencyKeys, checkBooks],
  }))
