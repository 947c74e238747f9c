import { randomUUID } from 'node:crypto'
import { ok } from '@haat/client'
import { pay, placeOrder, type Seller, type Shopper } from '../../actors.ts'
import type { Devnet } from '../../devnet.ts'
import { type Market, take } from '../market.ts'

/** Order, inventory and promotion live by this clock, so that leases end when a story says so. */
export type Clock = { aheadMs: number; now: () => Date }

export const createClock = (): Clock => {
  const clock: Clock = { aheadMs: 0, now: () => new Date(Date.now() + clock.aheadMs) }
  return clock
}

export type World = { devnet: Devnet; market: Market; clock: Clock }

/** What is bought: two vendors' goods, with a coupon or without. */
export type Basket = { tea: number; mug: number; coupon: boolean }

/** One purchase under way. */
export type Purchase = {
  basket: Basket
  buyer: Shopper
  order: { id: string; orderNo: string }
  intent: { intentId: string; clientSecret: string }
}

export type Step = {
  /** Whether the person who acts sees what they need to see first. */
  when?: (world: World, purchase: Purchase) => Promise<boolean>
  /** What one person does. */
  act?: (world: World, purchase: Purchase) => Promise<unknown>
  /** What happens to all purchases at once. */
  all?: (world: World) => Promise<unknown>
}

/** Longer than any lease. */
const LEASE_MS = 16 * 60_000

const pageOf = ({ buyer, order }: Purchase) =>
  ok(buyer.shop.GET('/v1/orders/{orderNo}', { params: { path: { orderNo: order.orderNo } } }))
const isPaid = async (_world: World, purchase: Purchase) => (await pageOf(purchase)).order.paymentStatus === 'paid'

const partOf = async (own: Seller, { order }: Purchase) => {
  const params = { path: { vendorId: own.vendorId }, query: { q: order.orderNo } }
  const { items } = await ok(own.vendor.GET('/v1/vendors/{vendorId}/orders', { params }))
  return items[0]!
}
const pathOf = async (own: Seller, purchase: Purchase) => ({
  vendorId: own.vendorId,
  id: (await partOf(own, purchase)).id,
})

const pays: Step = { act: ({ devnet }, { intent }) => pay(devnet, intent) }
const isDeclined: Step = { act: ({ devnet }, { intent }) => pay(devnet, intent, 'decline') }
const cancels: Step = {
  act: (_world, { buyer, order }) =>
    ok(
      buyer.shop.POST('/v1/orders/{orderNo}/cancel', {
        params: { path: { orderNo: order.orderNo } },
        body: { reason: 'customer_request', note: '' },
      }),
    ),
}
const timePasses: Step = {
  async all({ devnet, clock }) {
    clock.aheadMs += LEASE_MS
    const run = (service: string, job: string) => devnet.services.get(service)!.runJob(job)
    await run('inventory', 'expire-reservations')
    await run('order', 'recover-checkouts')
    await run('promotion', 'release-lapsed')
  },
}
const cupCancels: Step = {
  when: isPaid,
  async act({ market: { cup } }, purchase) {
    const params = { path: await pathOf(cup, purchase) }
    const body = { reason: 'out_of_stock', note: '' } as const
    await ok(cup.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/cancel', { params, body }))
  },
}
const leafRefunds = (when: Step['when'], qtyOf: (basket: Basket) => number): Step => ({
  ...(when ? { when } : {}),
  async act({ market: { leaf } }, purchase) {
    const { id, items } = await partOf(leaf, purchase)
    const params = { path: { vendorId: leaf.vendorId, id }, header: { 'Idempotency-Key': randomUUID() } }
    const body = {
      lines: [{ orderItemId: items[0]!.id, qty: qtyOf(purchase.basket) }],
      reason: 'damaged',
      includeShipping: false,
      restock: true,
    }
    await ok(leaf.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/refunds', { params, body }))
  },
})
const bothAccept: Step = {
  when: isPaid,
  async act({ market: { leaf, cup } }, purchase) {
    for (const own of [leaf, cup]) {
      const params = { path: await pathOf(own, purchase) }
      await ok(own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/accept', { params }))
    }
  },
}
/** Shipping hears of an accepted part by its event; until then it makes no label. */
const bothShip: Step = {
  async when({ market: { leaf, cup } }, purchase) {
    for (const own of [leaf, cup]) {
      const params = { path: await pathOf(own, purchase) }
      const { response } = await own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/label', { params, body: {} })
      if (!response.ok) return false
    }
    return true
  },
  async act({ market: { leaf, cup } }, purchase) {
    for (const own of [leaf, cup]) {
      const path = await pathOf(own, purchase)
      const parcel = await ok(
        own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/label', { params: { path }, body: {} }),
      )
      for (const fulfilment of ['shipped', 'delivered'] as const)
        await ok(
          own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/ship', {
            params: { path },
            body: { fulfilment, carrier: parcel.carrier, trackingNo: parcel.trackingNo },
          }),
        )
    }
  },
}

/** What may become of a checkout. In each the outcome depends on what people do, never on which notice comes first. */
export const stories = {
  paid: [pays],
  'declined, then paid': [isDeclined, pays],
  'cancelled unpaid': [cancels],
  'cancelled after a declined card': [isDeclined, cancels],
  expired: [timePasses],
  'paid as the time ran out': [pays, timePasses],
  'cancelled when paid': [pays, { when: isPaid, ...cancels }],
  'cancelled while the payment is on its way': [pays, cancels],
  'one vendor cancels': [pays, cupCancels],
  'one unit refunded': [pays, leafRefunds(isPaid, () => 1)],
  'refunded in two parts, then the other vendor cancels': [
    pays,
    leafRefunds(isPaid, () => 1),
    leafRefunds(undefined, ({ tea }) => tea - 1),
    { act: cupCancels.act! },
  ],
  delivered: [pays, bothAccept, bothShip],
} satisfies Record<string, Step[]>

export type StoryName = keyof typeof stories

/** A customer with a filled cart. */
export async function arrive({ market }: World, basket: Basket): Promise<Shopper> {
  const buyer = await market.customer()
  await take(buyer, 'DISORDER-TEA', basket.tea)
  await take(buyer, 'DISORDER-MUG', basket.mug)
  if (basket.coupon) await ok(buyer.shop.POST('/v1/cart/apply-coupon', { body: { code: 'DISORDER' } }))
  return buyer
}

/** Shelves and coupon that never run out. */
export async function openShop({ market }: World): Promise<void> {
  await market.shelve(market.leaf, 'DISORDER-TEA', 33_333, 100_000)
  await market.shelve(market.cup, 'DISORDER-MUG', 45_050, 100_000)
  await ok(
    market.admin.POST('/v1/admin/coupons', {
      body: { code: 'DISORDER', type: 'percent', percentBps: 1000, fundedBy: 'platform', isActive: true },
    }),
  )
}

export async function order(buyer: Shopper, basket: Basket): Promise<Purchase> {
  const { order: placed, payment } = await placeOrder(buyer)
  return { basket, buyer, order: placed, intent: payment! }
}
