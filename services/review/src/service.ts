import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { ReviewServiceDefinition } from '@haat/proto/review/v1/review'
import type { ReviewConfig } from './config.ts'
import { createContext, type ReviewContext } from './context.ts'
import { events } from './events/index.ts'
import { settleDecisions } from './jobs/settle-decisions.ts'
import { rpc } from './rpc/index.ts'

/** Starts review; `overrides` replace parts of the context in tests. */
export const startReview = (config: ReviewConfig, overrides: Partial<ReviewContext> = {}): Promise<Service> =>
  startService<ReviewContext>('review', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(ReviewServiceDefinition, rpc)],
    events,
    jobs: [settleDecisions],
    eventCollections: ['reviews'],
  }))
