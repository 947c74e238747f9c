import { job } from '@haat/kit/jobs'
import { deliverRefund } from '../checkout/deliver-refund.ts'
import type { OrderContext } from '../context.ts'

const BATCH = 50
/** Longer than an attempt takes, so that two instances do not try the same refund. */
const CLAIM_SECONDS = 60

/** Tries refunds again that payment or inventory could not take. */
export const deliverRefunds = job<OrderContext>('deliver-refunds', {
  everySeconds: 5,
  async run(ctx, call) {
    const now = ctx.now()
    const due = await ctx.db
      .updateTable('refunds')
      .set({ next_attempt_at: new Date(now.getTime() + CLAIM_SECONDS * 1000) })
      .where('id', 'in', (q) =>
        q
          .selectFrom('refunds as waiting')
          .select('waiting.id')
          .where((w) => w.or([w('waiting.state', '=', 'pending'), w('waiting.restock', '=', 'pending')]))
          .where('waiting.next_attempt_at', '<', now)
          .orderBy('waiting.next_attempt_at')
          .limit(BATCH)
          .forUpdate()
          .skipLocked(),
      )
      .returning('id')
      .execute()
    for (const { id } of due) {
      if (call.signal.aborted) return
      await deliverRefund(ctx, id)
    }
  },
})
