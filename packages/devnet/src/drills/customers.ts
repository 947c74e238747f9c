import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ApiError, ok } from '@haat/client'
import { ADDRESS, pay, type Shopper } from '../actors.ts'
import type { Devnet } from '../devnet.ts'
import { PASSWORD } from './market.ts'

/** What a customer sets out to do. */
export type Plan = {
  lines: Record<string, number>
  coupon?: string
  /** `repent` cancels after paying, `leave` never pays. */
  ending: 'pay' | 'decline, pay' | 'cancel' | 'repent' | 'leave'
}
/** How it ended: as planned, or with nothing left to buy and no order. */
export type Outcome = { ending: Plan['ending'] | 'sold out'; orderNo: string }

/** What the customers were answered on their way: `503 store_unavailable`, `no connection`, … and how often. */
export type Answers = Map<string, number>

const GIVE_UP_MS = 180_000
/** A refused order is put together anew with what is left; after so many times the customer has no patience left. */
const ATTEMPTS = 8

/**
 * One checkout by a patient client: signs in, fills the cart, prices it, orders, pays. Whatever has no known outcome is asked
 * again: reads and absolute writes as they are, the order with the same idempotency key.
 */
export async function checkout(devnet: Devnet, buyer: Shopper, plan: Plan, answers: Answers): Promise<Outcome> {
  const { shop } = buyer
  const insist = <Answer>(work: () => Promise<Answer>) => persist(work, answers)
  const { accessToken } = await insist(() =>
    ok(shop.POST('/v1/auth/login', { body: { email: buyer.email, password: PASSWORD, session: 'token' } })),
  )
  buyer.identity.token = accessToken

  const lines = new Map(Object.entries(plan.lines))
  const coupons = new Set(plan.coupon ? [plan.coupon] : [])
  for (let attempt = 1; ; attempt += 1) {
    await fillCart(buyer, lines, coupons, insist)
    if (lines.size === 0) return { ending: 'sold out', orderNo: '' }
    const body = await prepare(buyer, insist)
    const key = randomUUID()
    try {
      const placed = await insist(() =>
        ok(shop.POST('/v1/orders', { params: { header: { 'Idempotency-Key': key } }, body })),
      )
      const { orderNo } = placed.order
      await finish(devnet, buyer, plan.ending, orderNo, placed.payment, insist)
      return { ending: plan.ending, orderNo }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 422 || attempt === ATTEMPTS) throw error
      // Somebody else took the last of it, or what was seen is not what is there: order what there is.
      for (const sku of String(error.details.skus ?? '').split(',')) lines.delete(sku)
      if (error.code.startsWith('coupon_')) coupons.clear()
    }
  }
}

type Insist = <Answer>(work: () => Promise<Answer>) => Promise<Answer>

/** Brings the cart to exactly these lines and coupons; what nobody can have any more is dropped from the wish. */
async function fillCart(
  { shop }: Shopper,
  lines: Map<string, number>,
  coupons: Set<string>,
  insist: Insist,
): Promise<void> {
  const path = (sku: string) => ({ params: { path: { sku } } })
  const read = async () => new Map((await ok(shop.GET('/v1/cart'))).items.map(({ sku, qty }) => [sku, qty]))
  await insist(() => ok(shop.DELETE('/v1/cart')))
  for (const [sku, qty] of lines) {
    // Adding twice would double it: before each attempt the customer looks at what is there.
    const isGranted = await granted(() =>
      insist(async () => {
        const has = (await read()).get(sku)
        if (has === qty) return
        if (has) await ok(shop.PATCH('/v1/cart/items/{sku}', { ...path(sku), body: { qty } }))
        else await ok(shop.POST('/v1/cart/items', { body: { sku, qty } }))
      }),
    )
    if (!isGranted) lines.delete(sku)
  }
  for (const code of coupons) {
    const isGranted = await granted(() => insist(() => ok(shop.POST('/v1/cart/apply-coupon', { body: { code } }))))
    if (!isGranted) coupons.delete(code)
  }
}

/** False when it was refused for good. */
async function granted(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof ApiError && error.status === 422) return false
    throw error
  }
}

async function prepare({ shop, email }: Shopper, insist: Insist) {
  const destination = { country: ADDRESS.country, postalCode: ADDRESS.postalCode }
  const { groups, totals } = await insist(() => ok(shop.POST('/v1/checkout/summary', { body: { destination } })))
  const deliveries = groups.flatMap(({ vendorId, deliveryOptions: [option] }) =>
    option ? [{ vendorId, optionId: option.optionId }] : [],
  )
  const expectedTotal = totals?.total ? { expectedTotal: totals.total } : {}
  return { shippingAddress: ADDRESS, deliveries, paymentProvider: 'stripe' as const, email, ...expectedTotal }
}

async function finish(
  devnet: Devnet,
  { shop }: Shopper,
  ending: Plan['ending'],
  orderNo: string,
  payment: { intentId: string; clientSecret: string } | null,
  insist: Insist,
): Promise<void> {
  const cancel = () =>
    insist(() =>
      ok(
        shop.POST('/v1/orders/{orderNo}/cancel', {
          params: { path: { orderNo } },
          body: { reason: 'customer_request', note: '' },
        }),
      ),
    )
  if (ending === 'cancel') return void (await cancel())
  if (!payment) throw new Error(`order ${orderNo} cannot be paid`)
  if (ending === 'decline, pay' || ending === 'leave') await pay(devnet, payment, 'decline')
  if (ending === 'leave') return
  const { status, body } = await pay(devnet, payment)
  if (status !== 200) throw new Error(`order ${orderNo} was not paid: ${JSON.stringify(body).slice(0, 300)}`)
  if (ending === 'repent') await cancel()
}

/** What a failed request was answered, in two words. */
export const failureOf = (error: unknown): string =>
  error instanceof ApiError
    ? `${error.status} ${error.code}`
    : `no answer (${((error as Error).cause as { code?: string } | undefined)?.code ?? error})`

/** Does it again while its outcome is not known; refusals are thrown. */
async function persist<Answer>(work: () => Promise<Answer>, answers: Answers): Promise<Answer> {
  const giveUpAt = Date.now() + GIVE_UP_MS
  for (let wait = 50; ; wait = Math.min(wait * 1.6, 1_000)) {
    try {
      return await work()
    } catch (error) {
      const isRefusal = error instanceof ApiError && error.status < 500 && error.status !== 409
      const name = failureOf(error)
      if (!isRefusal) answers.set(name, (answers.get(name) ?? 0) + 1)
      if (isRefusal || Date.now() > giveUpAt) throw error
      await pause(wait * (0.5 + Math.random()))
    }
  }
}
