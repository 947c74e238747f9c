import { newId } from '@haat/kit/id'
import { CouponType, FundedBy, ScopeType } from '@haat/proto/promotion/v1/promotion'
import { customer } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { bdt, startHarness } from './harness.ts'

const h = await startHarness()
const [v1, v2] = [newId(), newId()]
const lines = [
  { lineId: 'a', vendorId: v1, productId: newId(), categoryIds: [newId()], amount: bdt(1_000) },
  { lineId: 'b', vendorId: v2, productId: newId(), categoryIds: [], amount: bdt(2_000) },
]
const deliveries = [
  { vendorId: v1, amount: bdt(60) },
  { vendorId: v2, amount: bdt(90) },
]

test('a quote answers coupons, lines and deliveries as asked, and says who pays', async () => {
  const vendors = await h.coupon({ fundedBy: FundedBy.VENDOR, vendorId: v1, percentBps: 1_000 })
  const free = await h.coupon({ type: CouponType.FREE_SHIPPING, scopes: [{ type: ScopeType.VENDOR, refId: v2 }] })
  const answer = await h.order.quote({
    codes: [free.code.toLowerCase(), 'UNKNOWN', vendors.code],
    userId: newId(),
    lines,
    deliveries,
  })
  expect(answer.coupons).toEqual([
    { code: free.code, couponId: free.id, accepted: true, reason: '', fundedBy: FundedBy.PLATFORM, discount: bdt(90) },
    { code: 'UNKNOWN', couponId: '', accepted: false, reason: 'coupon_not_found', fundedBy: 0, discount: bdt(0) },
    {
      code: vendors.code,
      couponId: vendors.id,
      accepted: true,
      reason: '',
      fundedBy: FundedBy.VENDOR,
      discount: bdt(100),
    },
  ])
  expect(answer.lines).toEqual([
    { lineId: 'a', vendorFunded: bdt(100), platformFunded: bdt(0) },
    { lineId: 'b', vendorFunded: bdt(0), platformFunded: bdt(0) },
  ])
  expect(answer.deliveries).toEqual([
    { vendorId: v1, vendorFunded: bdt(0), platformFunded: bdt(0) },
    { vendorId: v2, vendorFunded: bdt(0), platformFunded: bdt(90) },
  ])
})

test('held and redeemed uses count in a quote, for everybody and for the person', async () => {
  const userId = newId()
  const [scarce, personal] = [await h.coupon({ usageLimit: 1 }), await h.coupon({ perUserLimit: 1 })]
  await h.hold([scarce.id, personal.id], { userId })
  const reasons = async (id?: string) => {
    const { coupons } = await h.order.quote({
      codes: [scarce.code, personal.code],
      lines,
      ...(id ? { userId: id } : {}),
    })
    return coupons.map((coupon) => coupon.reason)
  }
  expect(await reasons(userId)).toEqual(['coupon_exhausted', 'coupon_user_limit'])
  expect(await reasons(newId())).toEqual(['coupon_exhausted', ''])
  expect(await reasons()).toEqual(['coupon_exhausted', 'coupon_sign_in_required'])
})

test('a quote changes nothing', async () => {
  const coupon = await h.coupon({ usageLimit: 1 })
  for (let i = 0; i < 3; i++) {
    const { coupons } = await h.order.quote({ codes: [coupon.code], userId: newId(), lines })
    expect(coupons[0]?.accepted).toBe(true)
  }
  expect(await h.find(coupon.code)).toEqual(coupon)
})

test('amounts that cannot be added up are refused, and people do not quote', async () => {
  const ask = (more: object) => h.order.quote({ codes: ['X1'], lines, deliveries, ...more })
  const other = { ...lines[0], lineId: 'c', amount: { currency: 'USD', minor: 1n } }
  await expect(ask({ lines: [...lines, other] })).rejects.toMatchObject({ code: 'currency_mixed' })
  await expect(ask({ lines: [...lines, lines[0]] })).rejects.toMatchObject({ code: 'lines_duplicate' })
  await expect(ask({ deliveries: [...deliveries, deliveries[0]] })).rejects.toMatchObject({
    code: 'deliveries_duplicate',
  })
  await expect(ask({ lines: [{ ...lines[0], amount: bdt(-1) }] })).rejects.toMatchObject({ code: 'amount_negative' })
  await expect(ask({ lines: [] })).rejects.toMatchObject({ code: 'request_invalid' })
  const person = h.as(await customer())
  await expect(person.quote({ codes: ['X1'], lines })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})
