import type { EventMessage } from '@haat/kit/events/definition'
import { newId } from '@haat/kit/id'
import { type CatalogServiceClient, Media, UploadPurpose } from '@haat/proto/catalog/v1/catalog'
import type { OrderServiceClient, PurchasedLine } from '@haat/proto/order/v1/order'
import {
  type Review,
  type ReviewServiceClient,
  ReviewServiceDefinition,
  ReviewStatus,
  type SubmitReviewRequest,
} from '@haat/proto/review/v1/review'
import { fake } from '@haat/testkit/fake'
import { startTestService } from '@haat/testkit/service'
import { customer, staff, vendorMember } from '@haat/testkit/tokens'
import { MongoClient } from 'mongodb'
import { afterAll } from 'vitest'
import { loadConfig } from '../src/config.ts'
import type { ReviewContext } from '../src/context.ts'
import { type Collections, openCollections } from '../src/db/collections.ts'
import { startReview } from '../src/service.ts'

/** Review on its own database, with neighbours and a clock that the tests control. */
export async function startHarness(env: Record<string, string> = {}) {
  const purchases = new Map<string, PurchasedLine[]>()
  const media = new Map<string, Media>()
  const calls: { method: string; request: unknown }[] = []
  let shiftMs = 0
  let database = ''
  const overrides: Partial<ReviewContext> = {
    order: fake<OrderServiceClient>('order', {
      hasPurchased: (async (request: { userId: string; productId: string }) => {
        calls.push({ method: 'hasPurchased', request })
        return { lines: purchases.get(`${request.userId}:${request.productId}`) ?? [] }
      }) as never,
    }),
    catalog: fake<CatalogServiceClient>('catalog', {
      batchGetMedia: (async (request: { imageIds: string[] }) => {
        calls.push({ method: 'batchGetMedia', request })
        // In no particular order.
        return { media: [...request.imageIds].reverse().flatMap((id) => media.get(id) ?? []) }
      }) as never,
    }),
    now: () => new Date(Date.now() + shiftMs),
  }
  const service = await startTestService({
    name: 'review',
    load(vars) {
      database = vars.MONGO_DATABASE!
      return loadConfig(vars)
    },
    start: startReview,
    overrides,
    env,
  })
  const client = new MongoClient(process.env.MONGO_URL!, { useBigInt64: true })
  afterAll(() => client.close())
  const as = (who?: Parameters<typeof service.as>[1]) => service.as<ReviewServiceClient>(ReviewServiceDefinition, who)
  const moderator = as(await staff('reviews.moderate'))
  const seller = await vendorMember()
  let count = 0

  /** Lets a person have bought and received a product; answers what a valid review of it says. */
  const bought = (userId: string, line: Partial<PurchasedLine> & { productId?: string } = {}) => {
    const { productId = newId(), ...more } = line
    const full: PurchasedLine = {
      orderId: newId(),
      orderNo: `HT-${1_000 + ++count}`,
      orderItemId: newId(),
      vendorId: seller.vendorId,
      sku: `SKU-${count}`,
      paidAt: new Date('2026-01-01T00:00:00Z'),
      deliveredAt: new Date('2026-01-03T00:00:00Z'),
      ...more,
    }
    const key = `${userId}:${productId}`
    purchases.set(key, [...(purchases.get(key) ?? []), full])
    const { orderNo, sku } = full
    const request: SubmitReviewRequest = {
      productId,
      orderNo,
      sku,
      rating: 5,
      title: 'Good',
      body: 'It works.',
      imageIds: [],
      authorName: 'Rahim',
    }
    return { request, line: full }
  }
  /** A new person's review. */
  const submitted = async (more: Partial<SubmitReviewRequest> & { vendorId?: string } = {}) => {
    const { vendorId, ...fields } = more
    const author = await customer()
    const { productId } = fields
    const { request } = bought(author.userId, {
      ...(productId ? { productId } : {}),
      ...(vendorId ? { vendorId } : {}),
    })
    const { review } = await as(author).submitReview({ ...request, ...fields })
    return { author, review: review! }
  }
  const decide = async (
    reviewId: string,
    decision: ReviewStatus,
    reason = 'not about the product',
  ): Promise<Review> => {
    const { review } = await moderator.moderateReview({ reviewId, decision: decision as 2 | 3, reason })
    return review!
  }
  return {
    service,
    as,
    calls,
    anyone: as(),
    moderator,
    seller,
    vendor: as(seller),
    db: (await openCollections(client.db(database))) as Collections,
    bought,
    submitted,
    approve: (reviewId: string) => decide(reviewId, ReviewStatus.APPROVED, ''),
    reject: (reviewId: string, reason?: string) => decide(reviewId, ReviewStatus.REJECTED, reason),
    async approved(more: Parameters<typeof submitted>[0] = {}) {
      const { author, review } = await submitted(more)
      const { review: approved } = await moderator.moderateReview({
        reviewId: review.id,
        decision: ReviewStatus.APPROVED,
      })
      return { author, review: approved! }
    },
    uploaded(uploadedBy: string, purpose: UploadPurpose = UploadPurpose.REVIEW): string {
      const id = newId()
      const image = { id, thumbUrl: `/t/${id}`, cardUrl: `/c/${id}`, fullUrl: `/f/${id}`, width: 1, height: 1 }
      media.set(id, Media.fromPartial({ image, purpose, uploadedBy }))
      return id
    },
    /** From now on, so many seconds have passed. */
    setSeconds(seconds: number) {
      shiftMs = seconds * 1000
    },
    /** The events of one review, or of all. */
    async eventsOf<Data extends { reviewId: string }>(message: EventMessage<Data>, reviewId?: string) {
      const all = await service.emitted(message)
      return all.filter(({ data }) => reviewId === undefined || data.reviewId === reviewId)
    },
  }
}
