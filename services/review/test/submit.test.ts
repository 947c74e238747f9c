import { newId } from '@haat/kit/id'
import { UploadPurpose } from '@haat/proto/catalog/v1/catalog'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { ReviewSubmitted } from '@haat/proto/review/v1/events'
import { FlagReason, ReviewStatus } from '@haat/proto/review/v1/review'
import { customer } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const noPurchase = { status: 'FAILED_PRECONDITION', code: 'purchase_not_found' }

test('who bought and received a product reviews it; the review waits, and others do not see it', async () => {
  const me = await customer()
  const { request, line } = h.bought(me.userId)
  const { review } = await h.as(me).submitReview({ ...request, title: ' Good ', authorName: ' Rahim ' })
  const { imageIds: _, ...said } = request
  expect(review).toEqual({
    ...said,
    id: expect.any(String),
    vendorId: line.vendorId,
    userId: me.userId,
    orderItemId: line.orderItemId,
    images: [],
    status: ReviewStatus.PENDING,
    rejectionReason: '',
    reply: undefined,
    createdAt: expect.any(Date),
    updatedAt: expect.any(Date),
    verifiedPurchase: true,
  })
  expect(h.calls.at(-1)).toEqual({
    method: 'hasPurchased',
    request: { userId: me.userId, productId: request.productId },
  })
  expect((await h.anyone.listReviews({ productId: request.productId })).reviews).toEqual([])
  const events = await h.eventsOf(ReviewSubmitted, review!.id)
  expect(events.map((event) => event.data)).toEqual([
    {
      reviewId: review!.id,
      productId: request.productId,
      vendorId: line.vendorId,
      userId: me.userId,
      rating: 5,
      ratingAvg: 0,
      ratingCount: 0,
    },
  ])
  expect(events[0]?.envelope).toMatchObject({ aggregate: { sequence: 1 }, actor: { type: 'user', id: me.userId } })
})

test('without a delivered line of this order and SKU there is no review', async () => {
  const me = await customer()
  const { request } = h.bought(me.userId)
  const other = h.bought((await customer()).userId).request
  await expect(h.as(me).submitReview({ ...request, orderNo: 'HT-9999' })).rejects.toMatchObject(noPurchase)
  await expect(h.as(me).submitReview({ ...request, sku: 'OTHER' })).rejects.toMatchObject(noPurchase)
  await expect(h.as(me).submitReview({ ...request, productId: newId() })).rejects.toMatchObject(noPurchase)
  await expect(h.as(me).submitReview(other)).rejects.toMatchObject(noPurchase)
  const waits = h.bought(me.userId, { deliveredAt: undefined } as never).request
  await expect(h.as(me).submitReview(waits)).rejects.toMatchObject(noPurchase)
  expect((await h.as(me).listMyReviews({})).reviews).toEqual([])
})

test('a line is reviewed once, however many requests come at once; another line of the product again', async () => {
  const me = await customer()
  const { request } = h.bought(me.userId)
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => h.as(me).submitReview(request)))
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
  for (const result of results)
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({ status: 'ALREADY_EXISTS', code: 'review_exists' })
  const second = h.bought(me.userId, { productId: request.productId }).request
  await h.as(me).submitReview(second)
  expect((await h.as(me).listMyReviews({})).reviews).toHaveLength(2)
  const events = await h.eventsOf(ReviewSubmitted)
  expect(events.filter(({ data }) => data.userId === me.userId)).toHaveLength(2)
})

test("images are the caller's own uploads for a review, in the order given", async () => {
  const me = await customer()
  const { request } = h.bought(me.userId)
  const imageIds = [h.uploaded(me.userId), h.uploaded(me.userId)]
  const refused = { status: 'NOT_FOUND', code: 'media_not_found' }
  for (const foreign of [newId(), h.uploaded(newId()), h.uploaded(me.userId, UploadPurpose.PRODUCT)])
    await expect(h.as(me).submitReview({ ...request, imageIds: [...imageIds, foreign] })).rejects.toMatchObject(refused)
  const { review } = await h.as(me).submitReview({ ...request, imageIds })
  expect(review?.images).toEqual(imageIds.map((id) => ({ id, thumbUrl: `/t/${id}`, fullUrl: `/f/${id}` })))
})

test('a rating out of range, a blank author and a guest are refused', async () => {
  const me = await customer()
  const { request } = h.bought(me.userId)
  const bad = { status: 'INVALID_ARGUMENT', code: 'request_invalid' }
  await expect(h.as(me).submitReview({ ...request, rating: 6 })).rejects.toMatchObject(bad)
  await expect(h.as(me).submitReview({ ...request, rating: 0 })).rejects.toMatchObject(bad)
  await expect(h.as(me).submitReview({ ...request, authorName: '   ' })).rejects.toMatchObject(bad)
  await expect(h.anyone.submitReview(request)).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})

test('a person sees their own reviews only, newest first, in pages, with why one was rejected', async () => {
  const me = await customer()
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.unshift((await h.as(me).submitReview(h.bought(me.userId).request)).review!.id)
  await h.reject(ids[2]!, 'names a neighbour')
  const first = await h.as(me).listMyReviews({ pageSize: 2 })
  const rest = await h.as(me).listMyReviews({ pageSize: 2, pageToken: first.nextPageToken })
  expect([...first.reviews, ...rest.reviews].map((review) => review.id)).toEqual(ids)
  expect(rest).toMatchObject({
    reviews: [{ status: ReviewStatus.REJECTED, rejectionReason: 'names a neighbour' }],
    nextPageToken: '',
  })
  const { orderNo } = first.reviews[0]!
  expect((await h.as(me).listMyReviews({ orderNo })).reviews.map((review) => review.id)).toEqual([ids[0]])
  expect((await h.as(await customer()).listMyReviews({})).reviews).toEqual([])
})

test('a forgotten person leaves review, rating and report behind, but no name, picture or words to moderators', async () => {
  const me = await customer()
  const { request } = h.bought(me.userId)
  const { review } = await h.as(me).submitReview({ ...request, imageIds: [h.uploaded(me.userId)] })
  await h.approve(review!.id)
  const reported = (await h.approved()).review
  await h.as(me).flagReview({ reviewId: reported.id, reason: FlagReason.SPAM, note: 'I know him' })
  await h.service.publish(UserForgotten, { userId: me.userId, forgottenAt: new Date() })
  await h.service.publish(UserForgotten, { userId: me.userId, forgottenAt: new Date() })

  const { reviews, histogram } = await h.anyone.listReviews({ productId: request.productId })
  expect(reviews).toMatchObject([{ id: review!.id, authorName: '', userId: '', images: [], body: 'It works.' }])
  expect(histogram).toMatchObject({ five: 1, ratingCount: 1 })
  const { items } = await h.moderator.listModerationQueue({ flaggedOnly: true })
  const item = items.find((one) => one.review?.id === reported.id)
  expect(item).toMatchObject({ flagCount: 1, flags: [{ reason: FlagReason.SPAM, note: '', createdBy: '' }] })
  const stored = [await h.db.reviews.find({}).toArray(), await h.db.flags.find({}).toArray()].flat()
  const text = JSON.stringify(stored, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
  expect(text).not.toContain(me.userId)
  // The line stays reviewed.
  await expect(h.as(me).submitReview(request)).rejects.toMatchObject({ code: 'review_exists' })
})
