import { aborted, notFound } from '@haat/kit/errors'
import type { Envelope } from '@haat/kit/events/envelope'
import { pendEvent, withoutPending } from '@haat/kit/events/pending'
import { ReviewApproved, ReviewRejected } from '@haat/proto/review/v1/events'
import type { ReviewContext } from '../context.ts'
import type { Review } from '../domain/review.ts'
import { averageAndCount, recount } from './ratings.ts'

const ATTEMPTS = 20

export const reviewNotFound = () => notFound('review_not_found', 'no such review')

export const findReview = (ctx: ReviewContext, id: string): Promise<Review | null> =>
  ctx.db.reviews.findOne({ _id: id }, { projection: withoutPending })

/** The fields that all events of a review begin with. */
export const eventBasics = ({ _id, productId, vendorId, userId }: Review) => ({
  reviewId: _id,
  productId,
  vendorId,
  userId,
})

export type Change = { set: Partial<Review>; events?: (version: number) => Envelope[] }

/**
 * Changes a review with its events as one atomic update, unless somebody changed it since it was read; then `plan` is asked
 * again. A change of status that is not settled is settled first, so that each is told, in order.
 */
export async function changeReview(
  ctx: ReviewContext,
  id: string,
  plan: (before: Review) => Change | undefined,
): Promise<Review> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await findReview(ctx, id)
    if (!before) throw reviewNotFound()
    if (before.unsettled) {
      await settle(ctx, before)
      continue
    }
    const change = plan(before)
    if (!change) return before
    const version = before.version + 1
    const after = await ctx.db.reviews.findOneAndUpdate(
      { _id: id, version: before.version },
      {
        $set: { ...change.set, version },
        ...(change.events ? { $push: { pendingEvents: { $each: change.events(version) } } } : {}),
      },
      { returnDocument: 'after', projection: withoutPending },
    )
    if (!after) continue
    if (change.events) ctx.wakeEvents('reviews', [id])
    if (after.unsettled) await settle(ctx, after)
    return after
  }
  throw aborted('review_busy', 'others keep changing this review; try again')
}

/**
 * Brings a change of status into the ratings and tells of it. The review remembers that this is due until it is done, and
 * the event is written by whoever takes that note away: once, however often and by how many this is run.
 */
export async function settle(ctx: ReviewContext, review: Review): Promise<void> {
  const { version } = review.unsettled!
  const [product, vendor] = await Promise.all([
    recount(ctx, { productId: review.productId }),
    recount(ctx, { vendorId: review.vendorId }),
  ])
  const ofVendor = averageAndCount(vendor)
  const data = {
    ...eventBasics(review),
    rating: review.rating,
    ...averageAndCount(product),
    ratingVersion: BigInt(product.version),
    vendorRatingAvg: ofVendor.ratingAvg,
    vendorRatingCount: ofVendor.ratingCount,
    vendorRatingVersion: BigInt(vendor.version),
  }
  const event = review.isApproved
    ? pendEvent(ReviewApproved, data, version)
    : pendEvent(ReviewRejected, { ...data, reason: review.rejectionReason }, version)
  await ctx.db.reviews.updateOne(
    { _id: review._id, 'unsettled.version': version },
    { $unset: { unsettled: '' }, $push: { pendingEvents: event } },
  )
  ctx.wakeEvents('reviews', [review._id])
}
