import { job } from '@haat/kit/jobs'
import type { Selectable } from '@haat/kit/postgres'
import type { PaymentContext } from '../context.ts'
import { claimDue } from '../db/claim.ts'
import type { WebhookEventRow } from '../db/schema.ts'
import { actOn } from '../steps/store-notice.ts'

/** Acts on stored notifications that could not be acted on when they came. */
export const retryNotices = job<PaymentContext>('retry-notices', {
  everySeconds: 10,
  async run(ctx, call) {
    for (const event of await claimDue<Selectable<WebhookEventRow>>(ctx.db, 'webhook_events', ctx.now())) {
      if (call.signal.aborted) return
      await actOn(ctx, event, call.log)
    }
  },
})
