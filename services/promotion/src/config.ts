import { broker, defineConfig, grpcServer, int, postgres } from '@haat/kit/config'

export const loadConfig = defineConfig('promotion', {
  ...grpcServer,
  ...postgres,
  ...broker,
  /** Length of a coupon hold's lease when the caller names none. */
  COUPON_HOLD_TTL_MINUTES: int(30, 1),
})

export type PromotionConfig = ReturnType<typeof loadConfig>
