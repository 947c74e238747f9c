import { createEnvelope } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import { OrderCancelled, OrderPaid } from '@haat/proto/order/v1/events'
import { PaymentFailed } from '@haat/proto/payment/v1/events'
import { ScopeType, UsageState } from '@haat/proto/promotion/v1/promotion'
import { customer } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { bdt, startHarness } from './harness.ts'

const h = await startHarness()
const outcomes = async (work: Promise<unknown>[]) => {
  const settled = await Promise.allSettled(work)
  return {
    won: settled.filter((result) => result.status === 'fulfilled').length,
    reasons: [
      ...new Set(settled.flatMap((r) => (r.status === 'rejected' ? [r.reason.details?.reason ?? r.reason] : []))),
    ],
  }
}

test('a hold counts, a redeemed one counts for good, a released one no more', async () => {
  const coupon = await h.coupon({ usageLimit: 5 })
  const [one, other] = [newId(), newId()]
  const { usages } = await h.hold([coupon.id], { orderId: one, ttlSeconds: 60 })
  expect(usages).toMatchObject([
    { couponId: coupon.id, code: coupon.code, orderId: one, state: UsageState.HELD, discount: bdt(100) },
  ])
  await h.hold([coupon.id], { orderId: other })
  expect(await h.counts(coupon.code)).toEqual({ held: 2, redeemed: 0 })
  const redeemed = await h.order.redeem({ orderId: one })
  expect(redeemed.usages).toMatchObject([{ state: UsageState.REDEEMED, usedAt: expect.any(Date) }])
  await h.order.release({ orderId: other })
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 1 })
})

test('10 uses and 100 buyers: exactly 10 get the coupon', async () => {
  const coupon = await h.coupon({ usageLimit: 10 })
  const { won, reasons } = await outcomes(Array.from({ length: 100 }, () => h.hold([coupon.id])))
  expect(won).toBe(10)
  expect(reasons).toEqual(['coupon_exhausted'])
  expect(await h.counts(coupon.code)).toEqual({ held: 10, redeemed: 0 })
})

test('2 uses per person and 30 orders of one person: exactly 2 get the coupon', async () => {
  const coupon = await h.coupon({ perUserLimit: 2 })
  const userId = newId()
  const { won, reasons } = await outcomes(Array.from({ length: 30 }, () => h.hold([coupon.id], { userId })))
  expect(won).toBe(2)
  expect(reasons).toEqual(['coupon_user_limit'])
  expect(await h.counts(coupon.code)).toEqual({ held: 2, redeemed: 0 })
  await h.hold([coupon.id])
})

test('buyers who want the same coupons in other orders never block each other, and all or none are held', async () => {
  const [a, b] = [await h.coupon({ usageLimit: 20 }), await h.coupon({ usageLimit: 12 })]
  const { won, reasons } = await outcomes(
    Array.from({ length: 40 }, (_, i) => h.hold(i % 2 ? [a.id, b.id] : [b.id, a.id])),
  )
  expect(won).toBe(12)
  expect(reasons).toEqual(['coupon_exhausted'])
  expect(await h.counts(a.code)).toEqual({ held: 12, redeemed: 0 })
  expect(await h.counts(b.code)).toEqual({ held: 12, redeemed: 0 })
})

test('one order holding many times at once holds once', async () => {
  const coupon = await h.coupon()
  const order = { orderId: newId(), userId: newId() }
  const answers = await Promise.all(Array.from({ length: 15 }, () => h.hold([coupon.id], order)))
  expect(new Set(answers.map((answer) => answer.usages[0]?.id)).size).toBe(1)
  expect(await h.counts(coupon.code)).toEqual({ held: 1, redeemed: 0 })
})

test('one order with other coupons is refused while it holds, also at the same moment', async () => {
  const [a, b] = [await h.coupon(), await h.coupon()]
  const order = { orderId: newId(), userId: newId() }
  const settled = await Promise.allSettled([h.hold([a.id], order), h.hold([b.id], order), h.hold([a.id, b.id], order)])
  expect(settled.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
  for (const result of settled)
    if (result.status === 'rejected')
      expect(result.reason).toMatchObject({ status: 'ALREADY_EXISTS', code: 'hold_mismatch' })
})

test('a coupon that cannot be used is not held, and the error says which and why', async () => {
  const good = await h.coupon()
  const refused = (couponIds: string[], code: string, reason: string) =>
    expect(h.hold(couponIds)).rejects.toMatchObject({
      status: 'FAILED_PRECONDITION',
      code: 'coupon_invalid',
      details: { code, reason },
    })
  const off = await h.coupon({ isActive: false })
  const over = await h.coupon({ endsAt: new Date(Date.now() - 1_000) })
  const others = await h.coupon({ scopes: [{ type: ScopeType.USER, refId: newId() }] })
  const dollars = await h.coupon({ maxDiscount: { currency: 'USD', minor: 5n } })
  const alone = await h.coupon({ stackable: false })
  await refused([good.id, off.id], off.code, 'coupon_inactive')
  await refused([good.id, over.id], over.code, 'coupon_expired')
  await refused([good.id, others.id], others.code, 'coupon_not_for_user')
  await refused([good.id, dollars.id], dollars.code, 'coupon_currency_mismatch')
  await refused([good.id, alone.id], alone.code, 'coupon_not_stackable')
  await refused([good.id, newId()], '', 'coupon_not_found')
  expect(await h.counts(good.code)).toEqual({ held: 0, redeemed: 0 })
})

test('a lapsed hold is given back by the sweep; other holds stay', async () => {
  const coupon = await h.coupon({ usageLimit: 2 })
  const [short, long] = [newId(), newId()]
  await h.hold([coupon.id], { orderId: short, ttlSeconds: 60 })
  await h.hold([coupon.id], { orderId: long, ttlSeconds: 7_200 })
  await h.later(10, () => h.service.service.runJob('release-lapsed'))
  expect(await h.counts(coupon.code)).toEqual({ held: 1, redeemed: 0 })
  expect((await h.order.redeem({ orderId: long })).usages).toMatchObject([{ state: UsageState.REDEEMED }])
})

test('a lapsed hold is taken anew while the limit allows, before and after the sweep', async () => {
  const coupon = await h.coupon({ usageLimit: 1 })
  const order = { orderId: newId(), userId: newId(), ttlSeconds: 60 }
  await h.hold([coupon.id], order)
  const renewed = await h.later(10, () => h.hold([coupon.id], order))
  expect(renewed.usages[0]!.expiresAt!.getTime()).toBeGreaterThan(Date.now() + 10 * 60_000)
  await h.later(30, () => h.service.service.runJob('release-lapsed'))
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 0 })
  await h.hold([coupon.id], order)
  expect(await h.counts(coupon.code)).toEqual({ held: 1, redeemed: 0 })
  await h.order.release({ orderId: order.orderId })
  await h.hold([coupon.id])
  await expect(h.hold([coupon.id], order)).rejects.toMatchObject({ details: { reason: 'coupon_exhausted' } })
})

test('an order that was paid after its hold lapsed still counts', async () => {
  const coupon = await h.coupon({ perUserLimit: 1 })
  const order = { orderId: newId(), userId: newId(), ttlSeconds: 60 }
  await h.hold([coupon.id], order)
  await h.later(10, () => h.service.service.runJob('release-lapsed'))
  await h.order.redeem({ orderId: order.orderId })
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 1 })
  await expect(h.hold([coupon.id], { userId: order.userId })).rejects.toMatchObject({
    details: { reason: 'coupon_user_limit' },
  })
})

test('repeating redeem and release changes nothing, and an order without coupons is fine', async () => {
  const coupon = await h.coupon()
  const orderId = newId()
  await h.hold([coupon.id], { orderId })
  const first = await h.order.redeem({ orderId })
  expect(await h.order.redeem({ orderId })).toEqual(first)
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 1 })
  const released = await h.order.release({ orderId })
  expect(released.usages).toMatchObject([{ state: UsageState.RELEASED, usedAt: undefined }])
  expect(await h.order.release({ orderId })).toEqual(released)
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 0 })
  expect(await h.order.redeem({ orderId: newId() })).toEqual({ usages: [] })
  expect(await h.order.release({ orderId: newId() })).toEqual({ usages: [] })
})

test('redeem, release and sweep at the same moment leave counters that agree with the usages', async () => {
  const coupon = await h.coupon()
  const orders = Array.from({ length: 8 }, () => newId())
  await Promise.all(orders.map((orderId) => h.hold([coupon.id], { orderId, ttlSeconds: 60 })))
  await Promise.all([
    ...orders.flatMap((orderId) => [
      h.order.redeem({ orderId }),
      h.order.release({ orderId }),
      h.order.redeem({ orderId }),
    ]),
    h.later(10, () => h.service.service.runJob('release-lapsed')),
  ])
  const states = await Promise.all(
    orders.map(async (orderId) => (await h.hold([coupon.id], { orderId })).usages[0]!.state),
  )
  const redeemed = states.filter((state) => state === UsageState.REDEEMED).length
  expect(await h.counts(coupon.code)).toEqual({ held: 8 - redeemed, redeemed })
})

test('order.paid redeems and order.cancelled gives back, each once', async () => {
  const coupon = await h.coupon()
  const orderId = newId()
  await h.hold([coupon.id], { orderId })
  const paid = await h.service.publish(OrderPaid, OrderPaid.fromPartial({ orderId, couponCodes: [coupon.code] }))
  await h.service.publishRaw(paid)
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 1 })
  await h.service.publish(OrderCancelled, OrderCancelled.fromPartial({ orderId }))
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 0 })
})

test('of order.paid and order.cancelled the later one decides, in whatever order they arrive', async () => {
  const coupon = await h.coupon()
  const orderId = newId()
  await h.hold([coupon.id], { orderId })
  const order = { orderId, couponCodes: [coupon.code] }
  const paid = (sequence: number) => createEnvelope(OrderPaid, OrderPaid.fromPartial(order), { sequence })
  const cancelled = (sequence: number) =>
    createEnvelope(OrderCancelled, OrderCancelled.fromPartial({ orderId }), { sequence })
  await h.service.publishRaw(cancelled(7))
  await h.service.publishRaw(paid(5))
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 0 })
  await h.service.publishRaw(paid(9))
  await h.service.publishRaw(cancelled(8))
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 1 })
})

test('a payment that failed for good frees held coupons; a declined card and a paid order keep theirs', async () => {
  const coupon = await h.coupon()
  const [unpaid, paid] = [newId(), newId()]
  await h.hold([coupon.id], { orderId: unpaid })
  await h.hold([coupon.id], { orderId: paid })
  await h.order.redeem({ orderId: paid })
  const failed = (orderId: string, final: boolean) =>
    h.service.publish(PaymentFailed, PaymentFailed.fromPartial({ paymentId: newId(), orderId, final }))
  await failed(unpaid, false)
  expect(await h.counts(coupon.code)).toEqual({ held: 1, redeemed: 1 })
  await failed(unpaid, true)
  await failed(paid, true)
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 1 })
})

test('people do not hold coupons, and a nonsense request holds nothing', async () => {
  const coupon = await h.coupon()
  const request = { orderId: newId(), userId: newId(), coupons: [{ couponId: coupon.id, discount: bdt(1) }] }
  const person = h.as(await customer())
  await expect(person.hold(request)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(person.redeem({ orderId: newId() })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(person.release({ orderId: newId() })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.hold([coupon.id, coupon.id])).rejects.toMatchObject({ code: 'coupons_duplicate' })
  await expect(h.hold([coupon.id], { orderId: 'x' })).rejects.toMatchObject({ code: 'request_invalid' })
  expect(await h.counts(coupon.code)).toEqual({ held: 0, redeemed: 0 })
})
