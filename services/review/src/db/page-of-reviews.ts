import { pageSize, toPage } from '@haat/kit/page'
import type { ReviewContext } from '../context.ts'
import type { Review } from '../domain/review.ts'
import { afterToken, cursorOf, type Order, sortOf } from './cursor.ts'
import { withoutEvents } from './reviews.ts'

/** A page of the reviews that match. */
export async function pageOfReviews(
  ctx: ReviewContext,
  request: { pageSize: number; pageToken: string },
  filter: object,
  order: Order,
): Promise<{ items: Review[]; nextPageToken: string }> {
  const size = pageSize(request.pageSize)
  const found = await ctx.db.reviews
    .find({ ...filter, ...afterToken(request.pageToken, order) }, { projection: withoutEvents })
    .sort(sortOf(order))
    .limit(size + 1)
    .toArray()
  return toPage<Review>(found, size, cursorOf(order))
}
