import { address, broker, defineConfig, flag, grpcServer, mongo } from '@haat/kit/config'

export const loadConfig = defineConfig('review', {
  ...grpcServer,
  ...mongo,
  ...broker,
  CATALOG_ADDR: address('catalog'),
  ORDER_ADDR: address('order'),
  /** Reviews are public at once; moderators only see those that somebody flags. */
  AUTO_APPROVE_REVIEWS: flag(false),
})

export type ReviewConfig = ReturnType<typeof loadConfig>
