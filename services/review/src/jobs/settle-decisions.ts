import { withoutPending } from '@haat/kit/events/pending'
import { job } from '@haat/kit/jobs'
import type { ReviewContext } from '../context.ts'
import { settle } from '../db/reviews.ts'

const BATCH = 500
// Settling takes milliseconds; one that is older has lost its process.
const GRACE_MS = 5_000

/** Finishes changes of status that a crash left out of the ratings. */
export const settleDecisions = job<ReviewContext>('settle-decisions', {
  everySeconds: 10,
  leader: true,
  async run(ctx, call) {
    const left = await ctx.db.reviews
      .find({ 'unsettled.at': { $lt: new Date(ctx.now().getTime() - GRACE_MS) } }, { projection: withoutPending })
      .limit(BATCH)
      .toArray()
    for (const review of left) {
      call.signal.throwIfAborted()
      await settle(ctx, review)
    }
  },
})
