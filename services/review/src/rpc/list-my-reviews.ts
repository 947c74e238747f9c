import { type Call, requireUser } from '@haat/kit/call'
import type { ListMyReviewsRequest, ListMyReviewsResponse } from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { newestFirst } from '../db/cursor.ts'
import { toReview } from '../db/messages.ts'
import { pageOfReviews } from '../db/page-of-reviews.ts'

export async function listMyReviews(
  ctx: ReviewContext,
  request: ListMyReviewsRequest,
  call: Call,
): Promise<ListMyReviewsResponse> {
  const { orderNo } = request
  const filter = { userId: requireUser(call), ...(orderNo === undefined ? {} : { orderNo }) }
  const { items, nextPageToken } = await pageOfReviews(ctx, request, filter, newestFirst)
  return { reviews: items.map((review) => toReview(review, 'all')), nextPageToken }
}
