import { type Call, requireUser } from '@haat/kit/call'
import { conflict, failedPrecondition, invalidFields, notFound } from '@haat/kit/errors'
import { pendEvent } from '@haat/kit/events/pending'
import { newId } from '@haat/kit/id'
import { isDuplicateKey } from '@haat/kit/mongo'
import { UploadPurpose } from '@haat/proto/catalog/v1/catalog'
import type { PurchasedLine } from '@haat/proto/order/v1/order'
import { ReviewSubmitted } from '@haat/proto/review/v1/events'
import type { SubmitReviewRequest, SubmitReviewResponse } from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { toReview } from '../db/messages.ts'
import { averageAndCount, findRating } from '../db/ratings.ts'
import { eventBasics, settle } from '../db/reviews.ts'
import type { Image, Review } from '../domain/review.ts'

export async function submitReview(
  ctx: ReviewContext,
  request: SubmitReviewRequest,
  call: Call,
): Promise<SubmitReviewResponse> {
  const userId = requireUser(call)
  const authorName = request.authorName.trim()
  if (!authorName)
    throw invalidFields([{ field: 'author_name', rule: 'not_blank', message: 'must have a visible character' }])
  const [line, images] = await Promise.all([
    findDelivered(ctx, request, userId),
    findImages(ctx, request.imageIds, userId),
  ])
  if (!line) throw failedPrecondition('purchase_not_found', 'only what you bought and received can be reviewed')
  if (await ctx.db.reviews.findOne({ orderItemId: line.orderItemId }, { projection: { _id: 1 } })) throw reviewExists()
  const found = images.filter((image) => image !== undefined)
  if (found.length < images.length) throw notFound('media_not_found', 'an image is not an upload of yours for a review')

  const review = newReview(ctx, { request, userId, authorName, line, images: found })
  const rating = await findRating(ctx, { productId: review.productId })
  const submitted = pendEvent(
    ReviewSubmitted,
    { ...eventBasics(review), rating: review.rating, ...averageAndCount(rating) },
    1,
  )
  try {
    await ctx.db.reviews.insertOne({ ...review, pendingEvents: [submitted] })
  } catch (error) {
    throw isDuplicateKey(error, 'orderItemId') ? reviewExists() : error
  }
  ctx.wakeEvents('reviews', [review._id])
  // The review stands by now; if it cannot be settled at once, the job does it.
  if (review.unsettled)
    await settle(ctx, review).catch((err) =>
      call.log.warn({ err, reviewId: review._id }, 'a review is not settled yet'),
    )
  return { review: toReview(review, 'all') }
}

const reviewExists = () => conflict('review_exists', 'you have reviewed this purchase')

async function findDelivered(
  ctx: ReviewContext,
  { productId, orderNo, sku }: SubmitReviewRequest,
  userId: string,
): Promise<PurchasedLine | undefined> {
  const { lines } = await ctx.order.hasPurchased({ userId, productId })
  return lines.find((line) => line.orderNo === orderNo && line.sku === sku && line.deliveredAt !== undefined)
}

/** The images in the order asked for; undefined where one is not the person's upload for a review. */
async function findImages(ctx: ReviewContext, ids: string[], userId: string): Promise<(Image | undefined)[]> {
  if (ids.length === 0) return []
  const { media } = await ctx.catalog.batchGetMedia({ imageIds: ids })
  return ids.map((id) => {
    const one = media.find(({ image }) => image?.id === id)
    if (!one?.image || one.purpose !== UploadPurpose.REVIEW || one.uploadedBy !== userId) return undefined
    const { thumbUrl, fullUrl } = one.image
    return { id, thumbUrl, fullUrl }
  })
}

function newReview(
  ctx: ReviewContext,
  parts: { request: SubmitReviewRequest; userId: string; authorName: string; line: PurchasedLine; images: Image[] },
): Review {
  const { request, userId, authorName, line, images } = parts
  const { vendorId, orderId, orderNo, orderItemId, sku } = line
  const at = ctx.now()
  return {
    _id: newId(),
    productId: request.productId,
    vendorId,
    userId,
    authorName,
    orderId,
    orderNo,
    orderItemId,
    sku,
    rating: request.rating,
    title: request.title.trim(),
    body: request.body.trim(),
    images,
    status: ctx.autoApprove ? 'approved' : 'pending',
    isApproved: ctx.autoApprove,
    rejectionReason: '',
    reply: null,
    isFlagged: false,
    waitingSince: ctx.autoApprove ? null : at,
    round: 0,
    createdAt: at,
    updatedAt: at,
    ...(ctx.autoApprove ? { version: 2, unsettled: { version: 2, at } } : { version: 1 }),
  }
}
