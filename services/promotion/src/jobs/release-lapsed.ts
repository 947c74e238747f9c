import { job } from '@haat/kit/jobs'
import type { PromotionContext } from '../context.ts'
import { releaseUsages } from '../db/usages.ts'

const BATCH = 200

/** Gives back what orders held longer than their lease, one order per transaction. */
export const releaseLapsed = job<PromotionContext>('release-lapsed', {
  everySeconds: 15,
  async run(ctx) {
    const now = ctx.now()
    const lapsed = await ctx.db
      .selectFrom('coupon_usages')
      .select('order_id')
      .distinct()
      .where('state', '=', 'held')
      .where('expires_at', '<', now)
      .limit(BATCH)
      .execute()
    for (const { order_id } of lapsed)
      await ctx.db.transaction().execute((tx) => releaseUsages(tx, order_id, now, { from: ['held'], lapsedOnly: true }))
  },
})
