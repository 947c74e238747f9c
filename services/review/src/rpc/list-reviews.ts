import { type ListReviewsRequest, type ListReviewsResponse, ReviewSort } from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { highestFirst, lowestFirst, newestFirst, type Order } from '../db/cursor.ts'
import { toHistogram, toReview } from '../db/messages.ts'
import { pageOfReviews } from '../db/page-of-reviews.ts'
import { findRating } from '../db/ratings.ts'

const orders: Record<ReviewSort, Order> = {
  [ReviewSort.UNSPECIFIED]: newestFirst,
  [ReviewSort.NEWEST]: newestFirst,
  [ReviewSort.HIGHEST]: highestFirst,
  [ReviewSort.LOWEST]: lowestFirst,
}

export async function listReviews(ctx: ReviewContext, request: ListReviewsRequest): Promise<ListReviewsResponse> {
  const { productId, rating } = request
  const filter = {
    productId,
    isApproved: true,
    $and: [rating === undefined ? {} : { rating }, request.withImagesOnly ? { 'images.0': { $exists: true } } : {}],
  }
  const [page, counted] = await Promise.all([
    pageOfReviews(ctx, request, filter, orders[request.sort]),
    findRating(ctx, { productId }),
  ])
  return {
    reviews: page.items.map((review) => toReview(review, 'public')),
    nextPageToken: page.nextPageToken,
    histogram: toHistogram(counted),
  }
}
