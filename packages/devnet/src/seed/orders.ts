import { ok } from '@haat/client'
import { pay, placeOrder } from '../actors.ts'
import { each } from '../each.ts'
import { type Place, unless } from '../market.ts'
import { patient } from '../patient.ts'
import { until } from '../until.ts'
import type { Parties, Step } from './parties.ts'
import type { SeedProduct } from './products.ts'
import { createRandom } from './random.ts'

export type Ending =
  | 'awaiting payment'
  | 'declined'
  | 'paid'
  | 'accepted'
  | 'shipped'
  | 'delivered'
  | 'cancelled unpaid'
  | 'cancelled paid'
  | 'partly refunded'

/** How many orders end how. */
const endings: [Ending, number][] = [
  ['delivered', 20],
  ['paid', 9],
  ['accepted', 8],
  ['shipped', 8],
  ['awaiting payment', 4],
  ['declined', 1],
  ['cancelled unpaid', 3],
  ['cancelled paid', 3],
  ['partly refunded', 4],
]

export type Plan = {
  index: number
  buyer: number
  ending: Ending
  lines: { sku: string; qty: number }[]
  coupon?: string
  /** Delivered with our label and the carrier's scans; else by the vendor's own van. */
  labelled: boolean
}

/** What is ordered by whom, and how it ends. */
export function planOrders(buyers: number, products: SeedProduct[]): Plan[] {
  const sold = products.flatMap((product) =>
    product.variants.filter((variant) => variant.onHand >= 20).map((variant) => ({ product, sku: variant.sku })),
  )
  return endings
    .flatMap(([ending, count]) => Array.from({ length: count }, () => ending))
    .map((ending, index) => {
      const random = createRandom('order', index)
      const picked = new Map<string, { product: SeedProduct; sku: string }>()
      for (let lines = random.int(1, 3); picked.size < lines; ) {
        const one = random.pick(sold)
        picked.set(one.sku, one)
      }
      const coupon = ['WELCOME10', 'FREESHIP'][index % 6]
      return {
        index,
        buyer: (index * 7) % buyers,
        ending,
        lines: [...picked.keys()].map((sku) => ({ sku, qty: ending === 'partly refunded' ? 2 : random.int(1, 2) })),
        ...(coupon ? { coupon } : {}),
        labelled: ending === 'delivered' && index % 4 === 0,
      }
    })
}

export type SeededOrder = { plan: Plan; orderNo: string }

/** Orders in every state, made by the people who would make them. */
export async function seedOrders(
  place: Place,
  parties: Parties,
  { journal, log, products }: Step,
): Promise<SeededOrder[]> {
  const plans = planOrders(parties.buyers.length, products)
  const byBuyer = Map.groupBy(plans, (plan) => plan.buyer)
  await each(byBuyer.values(), 6, async (own) => {
    // A person has one cart: orders follow each other.
    for (const plan of own)
      if (!journal.orders.has(plan.index))
        // An order that was placed and then forgotten by a kill answers to its key, unless prices moved meanwhile.
        await unless(
          'idempotency_key_reused',
          patient(() => placePlanned(plan)),
        )
  })
  async function placePlanned(plan: Plan) {
    const buyer = parties.buyers[plan.buyer]!
    await ok(buyer.shop.DELETE('/v1/cart'))
    for (const line of plan.lines) await ok(buyer.shop.POST('/v1/cart/items', { body: line }))
    if (plan.coupon) await ok(buyer.shop.POST('/v1/cart/apply-coupon', { body: { code: plan.coupon } }))
    const address = buyer.addresses[plan.index % buyer.addresses.length]!
    const { order, payment } = await placeOrder(buyer, { key: `seed-order-${plan.index}`, address })
    // Without a session it is paid already.
    if (payment && plan.ending === 'declined') await pay(place, payment, 'decline')
    else if (payment && plan.ending !== 'awaiting payment' && plan.ending !== 'cancelled unpaid')
      await pay(place, payment)
    journal.setOrder(plan.index, order.orderNo)
  }
  const orders: SeededOrder[] = plans.flatMap((plan) => {
    const orderNo = journal.orders.get(plan.index)
    return orderNo ? [{ plan, orderNo }] : []
  })
  log(`seed: ${orders.length} orders placed`)
  if (journal.has('orders')) return orders
  await each(orders, 6, (order) => patient(() => bring(parties, order)))
  log('seed: orders paid, accepted, shipped, delivered, cancelled and refunded')
  journal.add('orders')
  return orders
}

/** Brings an order to where its plan ends; what was done before is not done again. */
async function bring(parties: Parties, { plan, orderNo }: SeededOrder): Promise<void> {
  const { ending } = plan
  if (ending === 'awaiting payment' || ending === 'declined') return
  const { shop } = parties.buyers[plan.buyer]!
  const params = { path: { orderNo } }
  const read = async () => (await ok(shop.GET('/v1/orders/{orderNo}', { params }))).order!
  if (ending !== 'cancelled unpaid')
    await until(`the payment of ${orderNo}`, async () =>
      (await read()).paymentStatus === 'pending' ? undefined : true,
    )
  const order = await read()
  if (ending === 'cancelled unpaid' || ending === 'cancelled paid') {
    if (order.status !== 'cancelled')
      await ok(
        shop.POST('/v1/orders/{orderNo}/cancel', {
          params,
          body: { reason: 'customer_request', note: 'Changed my mind' },
        }),
      )
    return
  }
  if (ending === 'paid') return
  for (const part of order.vendorOrders) {
    const own = parties.sellers.find(({ vendorId }) => vendorId === part.vendorId)!
    const of = { params: { path: { vendorId: own.vendorId, id: part.id } } }
    let { status } = part
    const fulfil = async (fulfilment: 'shipped' | 'delivered') => {
      const parcel = { carrier: 'own van', trackingNo: `VAN-${plan.index}-${part.id.slice(-6)}` }
      const answer = await ok(
        own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/ship', { ...of, body: { fulfilment, ...parcel } }),
      )
      status = answer.status
    }
    if (status === 'pending')
      status = (await ok(own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/accept', of))).status
    if (ending === 'partly refunded') {
      const line = part.items[0]!
      await ok(
        own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/refunds', {
          params: { ...of.params, header: { 'Idempotency-Key': `seed-refund-${part.id}` } },
          body: { lines: [{ orderItemId: line.id, qty: 1 }], reason: 'One of them was damaged', restock: false },
        }),
      )
    }
    if (ending !== 'shipped' && ending !== 'delivered') continue
    if (status === 'accepted' && plan.labelled) {
      // Shipping hears of the acceptance a moment later.
      await until(`the label of ${orderNo}`, async () => {
        const { response } = await own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/label', { ...of, body: {} })
        return response.ok ? true : undefined
      })
    }
    if (status === 'accepted') await fulfil('shipped')
    if (status === 'shipped' && ending === 'delivered') await fulfil('delivered')
  }
}
