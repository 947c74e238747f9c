import { newId } from '@haat/kit/id'
import { ReviewApproved, ReviewSubmitted } from '@haat/proto/review/v1/events'
import { type ListReviewsRequest, ReviewSort, ReviewStatus } from '@haat/proto/review/v1/review'
import { customer, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness({ AUTO_APPROVE_REVIEWS: 'true' })

test('with AUTO_APPROVE_REVIEWS a review is public at once, counted and told, and nobody has to look at it', async () => {
  const { review } = await h.submitted({ rating: 4 })
  expect(review.status).toBe(ReviewStatus.APPROVED)
  const { reviews, histogram } = await h.anyone.listReviews({ productId: review.productId })
  expect(reviews).toHaveLength(1)
  expect(histogram).toMatchObject({ four: 1, ratingAvg: 4, ratingCount: 1 })
  expect(await h.eventsOf(ReviewSubmitted, review.id)).toMatchObject([
    { data: { ratingCount: 0 }, envelope: { aggregate: { sequence: 1 } } },
  ])
  expect(await h.eventsOf(ReviewApproved, review.id)).toMatchObject([
    { data: { ratingCount: 1, ratingVersion: 1n }, envelope: { aggregate: { sequence: 2 } } },
  ])
  expect((await h.moderator.listModerationQueue({})).items).toEqual([])
})

test('the public does not learn who bought what in which order', async () => {
  const { review } = await h.submitted()
  const { reviews } = await h.anyone.listReviews({ productId: review.productId })
  expect(reviews).toEqual([{ ...review, userId: '', orderNo: '', orderItemId: '' }])
})

test('an unknown product has no reviews and a histogram of zeros', async () => {
  const none = { one: 0, two: 0, three: 0, four: 0, five: 0, ratingAvg: 0, ratingCount: 0 }
  expect(await h.anyone.listReviews({ productId: newId() })).toEqual({
    reviews: [],
    nextPageToken: '',
    histogram: none,
  })
})

test('reviews come newest, highest or lowest first, in pages without gaps, and filtered under the same histogram', async () => {
  const productId = newId()
  const ids: string[] = []
  const ratings = [3, 5, 1, 5, 3]
  for (const rating of ratings) ids.push((await h.submitted({ productId, rating })).review.id)
  const author = await customer()
  const { request } = h.bought(author.userId, { productId })
  const pictured = await h.as(author).submitReview({ ...request, rating: 2, imageIds: [h.uploaded(author.userId)] })
  ids.push(pictured.review!.id)
  const [a, b, c, d, e, f] = ids

  const all = async (more: Partial<ListReviewsRequest>) => {
    const found: string[] = []
    for (let pageToken = ''; ; ) {
      const page = await h.anyone.listReviews({ productId, pageSize: 2, pageToken, ...more } as never)
      expect(page.histogram).toEqual({ one: 1, two: 1, three: 2, four: 0, five: 2, ratingAvg: 19 / 6, ratingCount: 6 })
      found.push(...page.reviews.map((review) => review.id))
      pageToken = page.nextPageToken
      if (!pageToken) return found
    }
  }
  expect(await all({})).toEqual([f, e, d, c, b, a])
  expect(await all({ sort: ReviewSort.HIGHEST })).toEqual([d, b, e, a, f, c])
  expect(await all({ sort: ReviewSort.LOWEST })).toEqual([c, f, e, a, d, b])
  expect(await all({ rating: 5 })).toEqual([d, b])
  expect(await all({ rating: 3, sort: ReviewSort.HIGHEST })).toEqual([e, a])
  expect(await all({ withImagesOnly: true })).toEqual([f])
  const { nextPageToken } = await h.anyone.listReviews({ productId, pageSize: 2 })
  await expect(
    h.anyone.listReviews({ productId, pageToken: nextPageToken, sort: ReviewSort.LOWEST }),
  ).rejects.toMatchObject({ code: 'page_token_invalid' })
})

test("a vendor's members see the reviews of its products, and which wait for a reply; others see none", async () => {
  const seller = await vendorMember()
  const { vendorId } = seller
  const vendor = h.as(seller)
  const first = (await h.submitted({ vendorId })).review
  const second = (await h.submitted({ vendorId })).review
  await h.submitted()
  const hidden = (await h.submitted({ vendorId })).review
  await h.reject(hidden.id)
  await vendor.replyToReview({ reviewId: first.id, body: 'Thanks' })

  const { reviews } = await vendor.listVendorReviews({ vendorId })
  expect(reviews.map((review) => review.id)).toEqual([second.id, first.id])
  expect(reviews[0]).toMatchObject({ userId: '', orderNo: second.orderNo, orderItemId: second.orderItemId })
  const unanswered = await vendor.listVendorReviews({ vendorId, withoutReplyOnly: true })
  expect(unanswered.reviews.map((review) => review.id)).toEqual([second.id])
  const ofProduct = await vendor.listVendorReviews({ vendorId, productId: first.productId })
  expect(ofProduct.reviews.map((review) => review.id)).toEqual([first.id])
  const seenByStaff = await h.moderator.listVendorReviews({ vendorId, pageSize: 1 })
  expect(seenByStaff).toMatchObject({ reviews: [{ id: second.id, userId: second.userId }] })
  expect(seenByStaff.nextPageToken).not.toBe('')

  await expect(h.as(await vendorMember()).listVendorReviews({ vendorId })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'vendor_not_found',
  })
  await expect(h.as(await customer()).listVendorReviews({ vendorId })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})
