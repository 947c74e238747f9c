import { type Call, requireUser } from '@haat/kit/call'
import { newId } from '@haat/kit/id'
import { isDuplicateKey } from '@haat/kit/mongo'
import type { FlagReviewRequest, FlagReviewResponse } from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { flagReason } from '../db/messages.ts'
import { changeReview, reviewNotFound } from '../db/reviews.ts'

/**
 * Puts the review into the moderators' queue, then writes down who reported what. A crash in between leaves a review to look
 * at, never a report that nobody sees; a decision in between closes the report like those before it.
 */
export async function flagReview(
  ctx: ReviewContext,
  request: FlagReviewRequest,
  call: Call,
): Promise<FlagReviewResponse> {
  const userId = requireUser(call)
  const { reviewId } = request
  const { round } = await changeReview(ctx, reviewId, (before) => {
    if (!before.isApproved) throw reviewNotFound()
    return before.isFlagged ? undefined : { set: { isFlagged: true, waitingSince: ctx.now() } }
  })
  const key = `${reviewId}:${userId}`
  const words = { reason: flagReason.toName(request.reason), note: request.note.trim() }
  const again = () => ctx.db.flags.updateOne({ key, round }, { $set: words })
  if ((await again()).matchedCount) return {}
  try {
    await ctx.db.flags.updateOne(
      { key, round: { $lt: round } },
      { $set: { ...words, round, createdAt: ctx.now() }, $setOnInsert: { _id: newId(), reviewId, createdBy: userId } },
      { upsert: true },
    )
  } catch (error) {
    // The same person's other request was faster.
    if (!isDuplicateKey(error)) throw error
    await again()
  }
  return {}
}
