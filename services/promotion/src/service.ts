import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { PromotionServiceDefinition } from '@haat/proto/promotion/v1/promotion'
import type { PromotionConfig } from './config.ts'
import { createContext, type PromotionContext } from './context.ts'
import { events } from './events/index.ts'
import { releaseLapsed } from './jobs/release-lapsed.ts'
import { rpc } from './rpc/index.ts'

/** Starts promotion; `overrides` replace parts of the context in tests. */
export const startPromotion = (config: PromotionConfig, overrides: Partial<PromotionContext> = {}): Promise<Service> =>
  startService<PromotionContext>('promotion', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(PromotionServiceDefinition, rpc)],
    events,
    jobs: [releaseLapsed],
  }))
