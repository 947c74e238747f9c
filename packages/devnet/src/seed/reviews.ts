import { ok } from '@haat/client'
import { each } from '../each.ts'
import { unless } from '../market.ts'
import { patient } from '../patient.ts'
import type { SeededOrder } from './orders.ts'
import type { Parties, Step } from './parties.ts'
import { createRandom } from './random.ts'

const words: Record<number, [title: string, body: string]> = {
  5: ['Wonderful', 'Exactly as shown, and it came a day early. I will order again.'],
  4: ['Very good', 'Good quality for the price. The parcel was packed with care.'],
  3: ['All right', 'It does what it should; the colour is a little different from the picture.'],
  2: ['Disappointing', 'It took long and the quality is less than I hoped for.'],
  1: ['Not again', 'It arrived broken. The vendor answered quickly, at least.'],
}

/** What customers say of what they got: three in four are approved, the rest wait for moderation. */
export async function seedReviews(parties: Parties, orders: SeededOrder[], { journal, log }: Step): Promise<void> {
  if (journal.has('reviews')) return
  let submitted = 0
  let approved = 0
  const delivered = orders.filter(({ plan }) => plan.ending === 'delivered')
  await each(delivered, 4, (order) => patient(() => reviewAll(order)))
  async function reviewAll({ plan, orderNo }: SeededOrder) {
    const random = createRandom('review', plan.index)
    const buyer = parties.buyers[plan.buyer]!
    const page = await ok(buyer.shop.GET('/v1/orders/{orderNo}', { params: { path: { orderNo } } }))
    for (const item of page.order!.vendorOrders.flatMap(({ items }) => items)) {
      const rating = random.pick([5, 5, 5, 4, 4, 4, 3, 2, 1])
      const waits = random.chance(0.25)
      const [title, body] = words[rating]!
      const review = await unless(
        'review_exists',
        ok(
          buyer.shop.POST('/v1/reviews', {
            body: { productId: item.productId, orderNo, sku: item.sku, rating, title, body, authorName: buyer.name },
          }),
        ),
      )
      submitted++
      if (!review || waits) continue
      const path = { id: review.id }
      await ok(
        parties.admin.POST('/v1/admin/reviews/{id}/moderate', { params: { path }, body: { decision: 'approved' } }),
      )
      approved++
      const own = parties.sellers.find(({ vendorId }) => vendorId === review.vendorId)
      if (rating > 2 || !own) continue
      await ok(
        own.vendor.PUT('/v1/vendors/{vendorId}/reviews/{id}/reply', {
          params: { path: { vendorId: own.vendorId, id: review.id } },
          body: { body: 'We are sorry. Please write to us, and we will put it right.' },
        }),
      )
    }
  }
  log(`seed: ${submitted} reviews, ${approved} of them approved`)
  journal.add('reviews')
}
