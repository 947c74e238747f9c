import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import type { ListVendorReviewsRequest, ListVendorReviewsResponse } from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { newestFirst } from '../db/cursor.ts'
import { toReview } from '../db/messages.ts'
import { pageOfReviews } from '../db/page-of-reviews.ts'

export async function listVendorReviews(
  ctx: ReviewContext,
  request: ListVendorReviewsRequest,
  call: Call,
): Promise<ListVendorReviewsResponse> {
  const vendorId = requireVendor(call, request.vendorId, ['reviews.moderate'])
  const filter = {
    vendorId,
    isApproved: true,
    ...(request.productId === undefined ? {} : { productId: request.productId }),
    ...(request.withoutReplyOnly ? { reply: null } : {}),
  }
  const { items, nextPageToken } = await pageOfReviews(ctx, request, filter, newestFirst)
  const audience = isStaff(call, 'reviews.moderate') ? 'all' : 'vendor'
  return { reviews: items.map((review) => toReview(review, audience)), nextPageToken }
}
