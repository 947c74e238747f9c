import { invalid } from '@haat/kit/errors'
import { type ModerateReviewRequest, type ModerateReviewResponse, ReviewStatus } from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { toReview } from '../db/messages.ts'
import { changeReview } from '../db/reviews.ts'
import { decide } from '../domain/review.ts'

export async function moderateReview(
  ctx: ReviewContext,
  request: ModerateReviewRequest,
): Promise<ModerateReviewResponse> {
  const status = request.decision === ReviewStatus.APPROVED ? 'approved' : 'rejected'
  const reason = request.reason.trim()
  if (status === 'rejected' && !reason) throw invalid('reason_required', 'the author is told why')
  const review = await changeReview(ctx, request.reviewId, (before) => {
    const set = decide(before, { status, reason }, ctx.now())
    return set && { set }
  })
  return { review: toReview(review, 'all') }
}
