import type { Call } from '@haat/kit/call'
import { invalidFields } from '@haat/kit/errors'
import { pendEvent } from '@haat/kit/events/pending'
import { ReviewReplied } from '@haat/proto/review/v1/events'
import type { ReplyToReviewRequest, ReplyToReviewResponse } from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { toReview } from '../db/messages.ts'
import { changeReview, eventBasics, reviewNotFound } from '../db/reviews.ts'
import { withReply } from '../domain/review.ts'

export async function replyToReview(
  ctx: ReviewContext,
  request: ReplyToReviewRequest,
  call: Call,
): Promise<ReplyToReviewResponse> {
  const body = request.body.trim()
  if (!body) throw invalidFields([{ field: 'body', rule: 'not_blank', message: 'must have a visible character' }])
  const review = await changeReview(ctx, request.reviewId, (before) => {
    if (!before.isApproved || before.vendorId !== call.caller.vendorId) throw reviewNotFound()
    const set = withReply(before, body, ctx.now())
    if (!set || before.reply) return set && { set }
    return { set, events: (version) => [pendEvent(ReviewReplied, eventBasics(before), version)] }
  })
  return { review: toReview(review, 'vendor') }
}
