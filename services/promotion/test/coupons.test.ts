import { newId } from '@haat/kit/id'
import { CouponType, FundedBy, ScopeType } from '@haat/proto/promotion/v1/promotion'
import { customer, staff, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { bdt, startHarness } from './harness.ts'

const h = await startHarness()

test('a coupon is stored as asked, its code in upper case', async () => {
  const startsAt = new Date('2025-01-01T00:00:00Z')
  const endsAt = new Date('2035-01-01T00:00:00Z')
  const scopes = [
    { type: ScopeType.CATEGORY, refId: newId() },
    { type: ScopeType.USER, refId: newId() },
  ]
  const terms = {
    type: CouponType.FIXED,
    amount: bdt(500),
    minOrderAmount: bdt(2_000),
    maxDiscount: bdt(400),
    startsAt,
    endsAt,
    usageLimit: 10,
    perUserLimit: 2,
    fundedBy: FundedBy.PLATFORM,
    stackable: false,
    isActive: true,
    description: 'Eid',
  }
  const { coupon } = await h.admin.createCoupon({ ...terms, code: 'eid-2025', scopes })
  expect(coupon).toMatchObject({ ...terms, code: 'EID-2025', currency: 'BDT', heldCount: 0, redeemedCount: 0 })
  expect(coupon?.scopes).toEqual(expect.arrayContaining(scopes))
  expect(await h.find('EID-2025')).toEqual(coupon)
})

test('a code exists once, whatever its case', async () => {
  await h.coupon({ code: 'ONCE' })
  await expect(h.coupon({ code: 'once' })).rejects.toMatchObject({
    status: 'ALREADY_EXISTS',
    code: 'coupon_code_taken',
  })
})

test('a value that does not fit its type is refused', async () => {
  const refused = { status: 'INVALID_ARGUMENT', code: 'coupon_value_invalid' }
  await expect(h.coupon({ percentBps: 0 })).rejects.toMatchObject(refused)
  await expect(h.coupon({ amount: bdt(5) })).rejects.toMatchObject(refused)
  await expect(h.coupon({ type: CouponType.FIXED })).rejects.toMatchObject(refused)
  await expect(h.coupon({ type: CouponType.FIXED, amount: bdt(-5) })).rejects.toMatchObject(refused)
  await expect(h.coupon({ type: CouponType.FREE_SHIPPING, percentBps: 5 })).rejects.toMatchObject(refused)
  const mixed = { minOrderAmount: bdt(5), maxDiscount: { currency: 'USD', minor: 5n } }
  await expect(h.coupon(mixed)).rejects.toMatchObject(refused)
})

test('a coupon never ends before it starts, neither at creation nor after a change', async () => {
  const [early, late] = [new Date('2025-01-01T00:00:00Z'), new Date('2025-02-01T00:00:00Z')]
  const refused = { status: 'INVALID_ARGUMENT', code: 'coupon_window_invalid' }
  await expect(h.coupon({ startsAt: late, endsAt: early })).rejects.toMatchObject(refused)
  const coupon = await h.coupon({ startsAt: early, endsAt: late })
  await expect(h.admin.updateCoupon({ couponId: coupon.id, endsAt: early })).rejects.toMatchObject(refused)
})

test('a vendor pays for its own coupons, on its own goods only', async () => {
  const { vendorId } = h.seller
  const terms = { code: 'MINE', type: CouponType.PERCENT, percentBps: 500, isActive: true }
  const funding = { status: 'INVALID_ARGUMENT', code: 'coupon_funding_invalid' }
  await expect(h.vendor.createCoupon({ ...terms, fundedBy: FundedBy.PLATFORM })).rejects.toMatchObject(funding)
  await expect(h.vendor.createCoupon({ ...terms, fundedBy: FundedBy.VENDOR })).rejects.toMatchObject(funding)
  await expect(h.coupon({ fundedBy: FundedBy.PLATFORM, vendorId })).rejects.toMatchObject(funding)
  const foreign = { ...terms, fundedBy: FundedBy.VENDOR, vendorId: newId() }
  await expect(h.vendor.createCoupon(foreign)).rejects.toMatchObject({ status: 'NOT_FOUND' })
  const scopes = [{ type: ScopeType.VENDOR, refId: newId() }]
  await expect(h.vendor.createCoupon({ ...terms, fundedBy: FundedBy.VENDOR, vendorId, scopes })).rejects.toMatchObject({
    code: 'coupon_scope_invalid',
  })
  const { coupon } = await h.vendor.createCoupon({ ...terms, fundedBy: FundedBy.VENDOR, vendorId })
  expect(coupon).toMatchObject({ fundedBy: FundedBy.VENDOR, vendorId })
})

test('who lacks the right creates nothing', async () => {
  const terms = { code: 'NOPE', type: CouponType.PERCENT, percentBps: 500, fundedBy: FundedBy.PLATFORM }
  for (const who of [await customer(), await staff('coupons.read'), await vendorMember(newId(), ['orders.read'])])
    await expect(h.as(who).createCoupon(terms)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.as().createCoupon(terms)).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  await expect(h.admin.createCoupon({ ...terms, code: '!' })).rejects.toMatchObject({ code: 'request_invalid' })
  expect(await h.find('NOPE')).toBeUndefined()
})

test('an update changes what is set and nothing else; 0 takes a limit off', async () => {
  const scopes = [{ type: ScopeType.PRODUCT, refId: newId() }]
  const before = await h.coupon({ minOrderAmount: bdt(100), usageLimit: 5, perUserLimit: 1, scopes })
  const { coupon: same } = await h.admin.updateCoupon({ couponId: before.id })
  expect({ ...same, updatedAt: 0 }).toEqual({ ...before, updatedAt: 0 })
  const { coupon: after } = await h.admin.updateCoupon({
    couponId: before.id,
    usageLimit: 0,
    perUserLimit: 3,
    minOrderAmount: bdt(0),
    maxDiscount: bdt(70),
    isActive: false,
    scopes: { scopes: [] },
  })
  expect(after).toMatchObject({ perUserLimit: 3, maxDiscount: bdt(70), isActive: false, scopes: [], percentBps: 1_000 })
  expect(after?.usageLimit).toBeUndefined()
  expect(after?.minOrderAmount).toBeUndefined()
  const dollars = { couponId: before.id, maxDiscount: { currency: 'USD', minor: 5n } }
  await expect(h.admin.updateCoupon(dollars)).rejects.toMatchObject({ code: 'coupon_value_invalid' })
})

test("another vendor's coupon and the platform's do not exist for a vendor", async () => {
  const other = h.as(await vendorMember())
  const platforms = await h.coupon()
  const own = await h.coupon({ fundedBy: FundedBy.VENDOR, vendorId: h.seller.vendorId })
  const missing = { status: 'NOT_FOUND', code: 'coupon_not_found' }
  await expect(other.updateCoupon({ couponId: own.id, isActive: false })).rejects.toMatchObject(missing)
  await expect(h.vendor.updateCoupon({ couponId: platforms.id, isActive: false })).rejects.toMatchObject(missing)
  await expect(h.vendor.updateCoupon({ couponId: newId(), isActive: false })).rejects.toMatchObject(missing)
  expect(await h.find(own.code)).toMatchObject({ isActive: true })
  const { coupon } = await h.vendor.updateCoupon({ couponId: own.id, isActive: false })
  expect(coupon).toMatchObject({ isActive: false })
})

test('a vendor lists its own coupons, page by page and newest first; staff see all', async () => {
  const me = await vendorMember()
  const mine = h.as(me)
  const codes: string[] = []
  for (let i = 0; i < 5; i++)
    codes.unshift((await h.coupon({ code: `PAGE-${i}`, fundedBy: FundedBy.VENDOR, vendorId: me.vendorId })).code)
  const seen: string[] = []
  let pageToken = ''
  do {
    const page = await mine.listCoupons({ pageSize: 2, pageToken })
    seen.push(...page.coupons.map((coupon) => coupon.code))
    pageToken = page.nextPageToken
  } while (pageToken)
  expect(seen).toEqual(codes)
  await expect(mine.listCoupons({ vendorId: newId() })).rejects.toMatchObject({ status: 'NOT_FOUND' })
  await expect(mine.listCoupons({ pageToken: 'x' })).rejects.toMatchObject({ code: 'page_token_invalid' })
  const { coupons } = await h.admin.listCoupons({ query: 'page-', vendorId: me.vendorId, pageSize: 100 })
  expect(coupons.map((coupon) => coupon.code)).toEqual(codes)
})

test('active_only leaves out what is switched off, over or not yet begun', async () => {
  const [past, future] = [new Date(Date.now() - 86_400_000), new Date(Date.now() + 86_400_000)]
  await h.coupon({ code: 'ACT-OFF', isActive: false })
  await h.coupon({ code: 'ACT-OVER', endsAt: past })
  await h.coupon({ code: 'ACT-SOON', startsAt: future })
  await h.coupon({ code: 'ACT-NOW', startsAt: past, endsAt: future })
  const { coupons } = await h.admin.listCoupons({ query: 'ACT-', activeOnly: true })
  expect(coupons.map((coupon) => coupon.code)).toEqual(['ACT-NOW'])
})
