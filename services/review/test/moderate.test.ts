import { newId } from '@haat/kit/id'
import { ReviewApproved, ReviewRejected, ReviewReplied } from '@haat/proto/review/v1/events'
import { FlagReason, ReviewStatus } from '@haat/proto/review/v1/review'
import { customer, neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { recount } from '../src/db/ratings.ts'
import { startHarness } from './harness.ts'

const h = await startHarness()
const missing = { status: 'NOT_FOUND', code: 'review_not_found' }
const queueOf = async (flaggedOnly = false) => {
  const { items } = await h.moderator.listModerationQueue({ flaggedOnly, pageSize: 100 })
  return items
}

test("an approved review is public and counts, and both ratings' figures are told", async () => {
  const productId = newId()
  const { vendorId } = await vendorMember()
  await h.approved({ productId, vendorId, rating: 2 })
  await h.approved({ vendorId, rating: 1 })
  const { author, review } = await h.approved({ productId, vendorId, rating: 5 })
  expect(review).toMatchObject({ status: ReviewStatus.APPROVED, userId: author.userId })
  const events = await h.eventsOf(ReviewApproved, review.id)
  expect(events).toMatchObject([
    {
      data: {
        productId,
        vendorId,
        userId: author.userId,
        rating: 5,
        ratingAvg: 3.5,
        ratingCount: 2,
        ratingVersion: 2n,
        vendorRatingAvg: 8 / 3,
        vendorRatingCount: 3,
        vendorRatingVersion: 3n,
      },
      envelope: { aggregate: { sequence: 2 } },
    },
  ])
  const { reviews, histogram } = await h.anyone.listReviews({ productId })
  expect(reviews).toHaveLength(2)
  expect(histogram).toEqual({ one: 0, two: 1, three: 0, four: 0, five: 1, ratingAvg: 3.5, ratingCount: 2 })
})

test('a decision can be changed; a rejected review does not count, and the rating version only grows', async () => {
  const { review } = await h.approved({ rating: 4 })
  const { id, productId } = review
  expect(await h.reject(id, ' spam ')).toMatchObject({ status: ReviewStatus.REJECTED, rejectionReason: 'spam' })
  expect(await h.anyone.listReviews({ productId })).toMatchObject({ reviews: [], histogram: { ratingCount: 0 } })
  expect(await h.approve(id)).toMatchObject({ status: ReviewStatus.APPROVED, rejectionReason: '' })
  const approved = await h.eventsOf(ReviewApproved, id)
  const [rejected] = await h.eventsOf(ReviewRejected, id)
  expect(rejected?.data).toMatchObject({ reason: 'spam', ratingAvg: 0, ratingCount: 0, ratingVersion: 2n })
  expect(approved.map(({ data }) => [data.ratingVersion, data.ratingCount])).toEqual([
    [1n, 1],
    [3n, 1],
  ])
  expect([...approved, rejected!].map(({ envelope }) => envelope.aggregate.sequence).sort()).toEqual([2, 3, 4])
})

test('a repeated decision changes nothing and tells nothing, even at once', async () => {
  const { review } = await h.submitted()
  await Promise.all(Array.from({ length: 5 }, () => h.approve(review.id)))
  await h.approve(review.id)
  expect(await h.eventsOf(ReviewApproved, review.id)).toHaveLength(1)
  expect((await h.anyone.listReviews({ productId: review.productId })).histogram?.ratingCount).toBe(1)
})

test('a rejection needs a reason, an unknown review is not found, and only moderators decide', async () => {
  const { review } = await h.submitted()
  const reviewId = review.id
  const rejected = { reviewId, decision: ReviewStatus.REJECTED, reason: '  ' } as const
  await expect(h.moderator.moderateReview(rejected)).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    code: 'reason_required',
  })
  await expect(h.approve(newId())).rejects.toMatchObject(missing)
  const approve = { reviewId, decision: ReviewStatus.APPROVED } as const
  for (const who of [await customer(), h.seller, await staff('catalog.review')])
    await expect(h.as(who).moderateReview(approve)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.moderator.moderateReview({ reviewId, decision: ReviewStatus.PENDING })).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
  })
})

test('ratings are exact under concurrent decisions, and every change of status is told once', async () => {
  const productId = newId()
  const { vendorId } = await vendorMember()
  const ratings = [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 5, 5]
  const reviews = await Promise.all(
    ratings.map(async (rating) => (await h.submitted({ productId, vendorId, rating })).review),
  )
  await Promise.all(reviews.map((review) => h.approve(review.id)))
  // Those of 1 and 2 stars go, while others are decided again and again.
  const low = reviews.filter((review) => review.rating < 3)
  await Promise.all([
    ...low.map((review) => h.reject(review.id)),
    ...reviews.filter((review) => review.rating === 5).map((review) => h.approve(review.id)),
  ])
  const exact = { one: 0, two: 0, three: 2, four: 2, five: 4, ratingAvg: 34 / 8, ratingCount: 8 }
  expect((await h.anyone.listReviews({ productId })).histogram).toEqual(exact)
  const approved = (await h.eventsOf(ReviewApproved)).filter(({ data }) => data.productId === productId)
  const rejected = (await h.eventsOf(ReviewRejected)).filter(({ data }) => data.productId === productId)
  expect(approved.map(({ data }) => data.reviewId).sort()).toEqual(reviews.map(({ id }) => id).sort())
  expect(rejected.map(({ data }) => data.reviewId).sort()).toEqual(low.map(({ id }) => id).sort())
  const all = [...approved, ...rejected].map(({ data }) => data)
  const last = all.reduce((a, b) => (b.ratingVersion > a.ratingVersion ? b : a))
  expect(last).toMatchObject({ ratingAvg: 34 / 8, ratingCount: 8 })
  const lastOfVendor = all.reduce((a, b) => (b.vendorRatingVersion > a.vendorRatingVersion ? b : a))
  expect(lastOfVendor).toMatchObject({ vendorRatingAvg: 34 / 8, vendorRatingCount: 8 })
  // Events that share a version say the same.
  const figures = new Map(all.map((data) => [data.ratingVersion, `${data.ratingAvg} of ${data.ratingCount}`]))
  for (const data of all) expect(figures.get(data.ratingVersion)).toBe(`${data.ratingAvg} of ${data.ratingCount}`)
})

test('a count that was overtaken is thrown away, and one that two others overtook takes theirs', async () => {
  const productId = newId()
  await h.approved({ productId, rating: 5 })
  /** Recounts; between counting and writing, `meanwhile` runs, once per round. */
  const slowly = (...meanwhile: (() => Promise<unknown>)[]) => {
    const aggregate = (pipeline: object[]) => ({
      async toArray() {
        const counted = await h.db.reviews.aggregate(pipeline).toArray()
        await meanwhile.shift()?.()
        return counted
      },
    })
    return recount({ db: { ...h.db, reviews: { aggregate } }, now: () => new Date() } as never, { productId })
  }
  const approve = (rating: number) => () => h.approved({ productId, rating })
  expect(await slowly(approve(4))).toEqual({ stars: [0, 0, 0, 1, 1], version: 3 })
  expect(await slowly(approve(3), approve(2))).toEqual({ stars: [0, 1, 1, 1, 1], version: 5 })
  expect((await h.anyone.listReviews({ productId })).histogram).toMatchObject({ ratingAvg: 3.5, ratingCount: 4 })
})

test('opposite decisions at once leave the rating as the last one says', async () => {
  const { review } = await h.submitted()
  const { id, productId } = review
  await Promise.all([h.approve(id), h.reject(id), h.approve(id), h.reject(id)])
  const { reviews, histogram } = await h.anyone.listReviews({ productId })
  expect(histogram?.ratingCount).toBe(reviews.length)
  const events = [...(await h.eventsOf(ReviewApproved, id)), ...(await h.eventsOf(ReviewRejected, id))]
  const last = events.toSorted((a, b) => b.envelope.aggregate.sequence - a.envelope.aggregate.sequence)[0]!
  expect(last.envelope.type).toBe(reviews.length ? 'review.approved' : 'review.rejected')
  expect(last.data.ratingCount).toBe(reviews.length)
})

/** Leaves an approved review as a process does that dies right after it wrote the decision. */
const dieAfterApproving = (reviewId: string) =>
  h.db.reviews.updateOne(
    { _id: reviewId },
    {
      $set: {
        status: 'approved',
        isApproved: true,
        waitingSince: null,
        version: 2,
        round: 1,
        unsettled: { version: 2, at: new Date(Date.now() - 60_000) },
      },
    },
  )

test('a decision whose process died is counted and told by the job, once', async () => {
  const { review } = await h.submitted({ rating: 3 })
  await dieAfterApproving(review.id)
  await h.service.service.runJob('settle-decisions')
  await h.service.service.runJob('settle-decisions')
  expect(await h.eventsOf(ReviewApproved, review.id)).toMatchObject([{ data: { ratingAvg: 3, ratingCount: 1 } }])
  expect((await h.anyone.listReviews({ productId: review.productId })).histogram).toMatchObject({ three: 1 })
})

test('the next change of a review finishes what an earlier decision left, in order', async () => {
  const { review } = await h.submitted()
  await dieAfterApproving(review.id)
  await h.reject(review.id)
  const [approved] = await h.eventsOf(ReviewApproved, review.id)
  const [rejected] = await h.eventsOf(ReviewRejected, review.id)
  expect(approved?.envelope.aggregate.sequence).toBe(2)
  expect(rejected).toMatchObject({ data: { ratingCount: 0 }, envelope: { aggregate: { sequence: 3 } } })
})

test('a person flags a review once; a repeat replaces the reason, and requests at once count as one', async () => {
  const { review } = await h.approved()
  const reviewId = review.id
  const me = await customer()
  await Promise.all([1, 2, 3, 4].map(() => h.as(me).flagReview({ reviewId, reason: FlagReason.SPAM, note: 'ad' })))
  await h.as(me).flagReview({ reviewId, reason: FlagReason.FAKE, note: 'never bought' })
  await h.as(await customer()).flagReview({ reviewId, reason: FlagReason.PRIVACY })
  const item = (await queueOf(true)).find((one) => one.review?.id === reviewId)
  expect(item?.flagCount).toBe(2)
  expect(item?.flags).toMatchObject([
    { reason: FlagReason.PRIVACY, note: '' },
    { reason: FlagReason.FAKE, note: 'never bought', createdBy: me.userId },
  ])
})

test('only approved reviews can be flagged, by signed-in people', async () => {
  const me = h.as(await customer())
  const { review } = await h.submitted()
  const flag = { reason: FlagReason.OTHER }
  await expect(me.flagReview({ reviewId: review.id, ...flag })).rejects.toMatchObject(missing)
  await expect(me.flagReview({ reviewId: newId(), ...flag })).rejects.toMatchObject(missing)
  await expect(me.flagReview({ reviewId: review.id, reason: FlagReason.UNSPECIFIED })).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
  })
  await expect(h.anyone.flagReview({ reviewId: review.id, ...flag })).rejects.toMatchObject({
    status: 'UNAUTHENTICATED',
  })
})

test('either decision closes the flags without a word when the status stays; a new flag opens the case again', async () => {
  const { review } = await h.approved()
  const me = h.as(await customer())
  await me.flagReview({ reviewId: review.id, reason: FlagReason.SPAM })
  await h.as(await customer()).flagReview({ reviewId: review.id, reason: FlagReason.SPAM })
  await h.approve(review.id)
  expect((await queueOf()).map((item) => item.review?.id)).not.toContain(review.id)
  expect(await h.eventsOf(ReviewApproved, review.id)).toHaveLength(1)
  await me.flagReview({ reviewId: review.id, reason: FlagReason.OFF_TOPIC })
  const again = (await queueOf()).find((item) => item.review?.id === review.id)
  expect(again).toMatchObject({ flagCount: 1, flags: [{ reason: FlagReason.OFF_TOPIC }] })
  await h.reject(review.id)
  expect((await queueOf()).map((item) => item.review?.id)).not.toContain(review.id)
})

test('the queue shows the longest wait first, in pages, and flagged ones alone when asked', async () => {
  const waiting = (await h.submitted()).review.id
  const flagged = (await h.approved()).review.id
  const latest = (await h.submitted()).review.id
  h.setSeconds(60)
  await h.as(await customer()).flagReview({ reviewId: flagged, reason: FlagReason.SPAM })
  h.setSeconds(0)
  const ids = (await queueOf()).map((item) => item.review!.id)
  expect(ids.filter((id) => [waiting, flagged, latest].includes(id))).toEqual([waiting, latest, flagged])
  const paged: string[] = []
  for (let pageToken = ''; ; ) {
    const page = await h.moderator.listModerationQueue({ pageSize: 3, pageToken })
    paged.push(...page.items.map((item) => item.review!.id))
    pageToken = page.nextPageToken
    if (!pageToken) break
  }
  expect(paged).toEqual(ids)
  expect((await queueOf(true)).every((item) => item.flagCount > 0)).toBe(true)
  await expect(h.moderator.listModerationQueue({ pageToken: 'nonsense' })).rejects.toMatchObject({
    code: 'page_token_invalid',
  })
})

test('services read the queue on their own behalf, not for a person without the permission', async () => {
  const service = await neighbour('admin')
  await expect(h.as(service).listModerationQueue({})).resolves.toBeDefined()
  const { token } = await customer()
  await expect(h.as({ ...service, token }).listModerationQueue({})).rejects.toMatchObject({
    code: 'permission_missing',
  })
  await expect(h.vendor.listModerationQueue({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test("the product's vendor replies; the author hears of the first reply only", async () => {
  const { author, review } = await h.approved()
  const reviewId = review.id
  const answers = await Promise.all([1, 2, 3].map((n) => h.vendor.replyToReview({ reviewId, body: `Thanks ${n}` })))
  for (const answer of answers) expect(answer.review).toMatchObject({ userId: '', orderNo: review.orderNo })
  const { review: replied } = await h.vendor.replyToReview({ reviewId, body: ' Thank you! ' })
  expect(replied?.reply?.body).toBe('Thank you!')
  const again = await h.vendor.replyToReview({ reviewId, body: 'Thank you!' })
  expect(again.review).toEqual(replied)
  const { reviews } = await h.anyone.listReviews({ productId: review.productId })
  expect(reviews[0]?.reply).toEqual(replied?.reply)
  const events = await h.eventsOf(ReviewReplied, reviewId)
  const { productId, vendorId } = review
  expect(events.map(({ data }) => data)).toEqual([{ reviewId, productId, vendorId, userId: author.userId }])
})

test("another vendor's review, one that is not approved and a member without the right get no reply", async () => {
  const { review } = await h.approved()
  const reply = { reviewId: review.id, body: 'Hi' }
  await expect(h.as(await vendorMember()).replyToReview(reply)).rejects.toMatchObject(missing)
  await expect(h.as(await vendorMember(h.seller.vendorId, ['orders.read'])).replyToReview(reply)).rejects.toMatchObject(
    {
      status: 'PERMISSION_DENIED',
    },
  )
  await expect(h.vendor.replyToReview({ ...reply, body: ' ' })).rejects.toMatchObject({ code: 'request_invalid' })
  const pending = (await h.submitted()).review
  await expect(h.vendor.replyToReview({ reviewId: pending.id, body: 'Hi' })).rejects.toMatchObject(missing)
  await h.reject(review.id)
  await expect(h.vendor.replyToReview(reply)).rejects.toMatchObject(missing)
})
