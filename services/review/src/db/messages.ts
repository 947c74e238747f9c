import { enumNames } from '@haat/kit/enum'
import {
  type Flag,
  FlagReason,
  type RatingHistogram,
  type Review as ReviewMessage,
  ReviewStatus,
} from '@haat/proto/review/v1/review'
import type { Review } from '../domain/review.ts'
import type { FlagDocument } from './collections.ts'
import { averageAndCount, type Rating } from './ratings.ts'

export const reviewStatus = enumNames(ReviewStatus)
export const flagReason = enumNames(FlagReason)

/** Who looks: the vendor also sees which of its orders it is about; author and staff see everything. */
export type Audience = 'public' | 'vendor' | 'all'

export function toReview(review: Review, audience: Audience): ReviewMessage {
  const { _id, status, reply, ...rest } = review
  return {
    id: _id,
    productId: rest.productId,
    vendorId: rest.vendorId,
    userId: audience === 'all' ? rest.userId : '',
    authorName: rest.authorName,
    orderNo: audience === 'public' ? '' : rest.orderNo,
    orderItemId: audience === 'public' ? '' : rest.orderItemId,
    sku: rest.sku,
    rating: rest.rating,
    title: rest.title,
    body: rest.body,
    images: rest.images,
    status: reviewStatus.fromName(status),
    rejectionReason: audience === 'all' ? rest.rejectionReason : '',
    reply: reply ?? undefined,
    createdAt: rest.createdAt,
    updatedAt: rest.updatedAt,
    verifiedPurchase: true,
  }
}

export const toFlag = ({ reason, note, createdBy, createdAt }: FlagDocument): Flag => ({
  reason: flagReason.fromName(reason),
  note,
  createdBy,
  createdAt,
})

export function toHistogram(rating: Rating): RatingHistogram {
  const [one, two, three, four, five] = rating.stars
  return { one, two, three, four, five, ...averageAndCount(rating) }
}
