import type { Pending } from '@haat/kit/events/pending'
import type { Collection, Db } from 'mongodb'
import type { Stars } from '../domain/rating.ts'
import type { Review } from '../domain/review.ts'

/** A review: one document, changed only by updates that name the version they read. */
export type ReviewDocument = Pending & Review

/** One person's report of one review. */
export type FlagDocument = {
  _id: string
  /** `<review>:<person>`, the flag's own id once the person is forgotten. Unique. */
  key: string
  reviewId: string
  reason: string
  note: string
  createdBy: string
  createdAt: Date
  /** Open while it is the review's. */
  round: number
}

/** The rating of a product or a vendor; `_id` is `product:<id>` or `vendor:<id>`. */
export type RatingDocument = { _id: string; stars: Stars; version: number; updatedAt: Date }

export type Collections = {
  reviews: Collection<ReviewDocument>
  flags: Collection<FlagDocument>
  ratings: Collection<RatingDocument>
}

/** The collections, with their indexes. */
export async function openCollections(db: Db): Promise<Collections> {
  const collections: Collections = {
    reviews: db.collection('reviews'),
    flags: db.collection('review_flags'),
    ratings: db.collection('ratings'),
  }
  await Promise.all([
    collections.reviews.createIndexes([
      { key: { orderItemId: 1 }, name: 'orderItemId', unique: true },
      { key: { productId: 1, isApproved: 1, _id: -1 }, name: 'productId' },
      // Counting stars reads nothing but one of these indexes.
      { key: { productId: 1, isApproved: 1, rating: -1, _id: -1 }, name: 'productId_highest' },
      { key: { productId: 1, isApproved: 1, rating: 1, _id: -1 }, name: 'productId_lowest' },
      { key: { vendorId: 1, isApproved: 1, _id: -1 }, name: 'vendorId' },
      { key: { vendorId: 1, isApproved: 1, rating: 1 }, name: 'vendorId_rating' },
      { key: { userId: 1, _id: -1 }, name: 'userId' },
      { key: { waitingSince: 1, _id: 1 }, name: 'waitingSince' },
      { key: { isFlagged: 1, waitingSince: 1, _id: 1 }, name: 'isFlagged' },
      { key: { 'unsettled.at': 1 }, name: 'unsettled', sparse: true },
    ]),
    collections.flags.createIndexes([
      { key: { key: 1 }, name: 'key', unique: true },
      { key: { reviewId: 1, round: 1, createdAt: -1 }, name: 'reviewId' },
      { key: { createdBy: 1 }, name: 'createdBy' },
    ]),
  ])
  return collections
}
