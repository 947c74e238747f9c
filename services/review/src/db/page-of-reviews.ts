import { withoutPending } from '@haat/kit/events/pending'
import { pageSize, toPage } from '@haat/kit/page'
import type { ReviewContext } from '../context.ts'
import type { Review } from '../domain/review.ts'
import { afterToken, cursorOf, type Order, sortOf } from './cursor.ts'

/** A page of the reviews that match. */
export async function pageOfReviews(
  ctx: ReviewContext,
  request: { pageSize: number; pageToken: string },
  filter: object,
  order: Order,
): Promise<{ items: Review[]; nextPageToken: string }> {
  const size = pageSize(request.pageSize)
  const found = await ctx.db.reviews
    .find({ ...filter, ...afterToken(request.pageToken, order) }, { projection: withoutPending })
    .sort(sortOf(order))
    .limit(size + 1)
    .toArray()
  return toPage<Review>(found, size, cursorOf(order))
}
