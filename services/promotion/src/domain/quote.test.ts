import { type Money, money } from '@haat/money/money'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Coupon, Scope } from './coupon.ts'
import { type Asked, type Basket, inScope, type Line, quote } from './quote.ts'

const NOW = new Date('2025-06-01T00:00:00Z')
const bdt = (minor: bigint | number): Money => money('BDT', BigInt(minor))
const coupon = (more: Partial<Coupon> = {}): Coupon => ({
  id: more.code ?? 'id',
  code: 'CODE',
  type: 'percent',
  value: 1_000n,
  currency: undefined,
  minOrderAmount: undefined,
  maxDiscount: undefined,
  startsAt: undefined,
  endsAt: undefined,
  usageLimit: undefined,
  perUserLimit: undefined,
  fundedBy: 'platform',
  vendorId: undefined,
  stackable: true,
  isActive: true,
  scopes: [],
  uses: 0,
  ...more,
})
const line = (lineId: string, amount: number, more: Partial<Line> = {}): Line => ({
  lineId,
  vendorId: 'v1',
  productId: `p-${lineId}`,
  categoryIds: [],
  amount: bdt(amount),
  ...more,
})
const basket = (more: Partial<Basket> = {}): Basket => ({
  currency: 'BDT',
  lines: [line('a', 1_000)],
  deliveries: [],
  userId: 'u1',
  now: NOW,
  ...more,
})
const asked = (...coupons: (Coupon | undefined)[]): Asked[] =>
  coupons.map((c) => ({ code: c?.code ?? '?', coupon: c, usesByUser: 0 }))
const reasonOf = (c: Coupon, more: Partial<Basket> = {}, usesByUser = 0) =>
  quote([{ code: c.code, coupon: c, usesByUser }], basket(more)).coupons[0]?.reason
const minors = (amounts: Money[]) => amounts.map((amount) => Number(amount.minor))

const vendors = ['v1', 'v2', 'v3']
const categories = ['c1', 'c2']
const anyScope: fc.Arbitrary<Scope> = fc.oneof(
  fc.record({ type: fc.constant('vendor' as const), refId: fc.constantFrom(...vendors) }),
  fc.record({ type: fc.constant('category' as const), refId: fc.constantFrom(...categories) }),
)
const anyCoupon = fc
  .record({
    type: fc.constantFrom('percent' as const, 'fixed' as const, 'free_shipping' as const),
    value: fc.bigInt(1n, 10_000n),
    maxDiscount: fc.option(fc.bigInt(1n, 5_000n), { nil: undefined }),
    vendorId: fc.option(fc.constantFrom(...vendors), { nil: undefined }),
    stackable: fc.boolean(),
    scopes: fc.array(anyScope, { maxLength: 3 }),
  })
  .map((c) => ({ ...c, fundedBy: c.vendorId ? ('vendor' as const) : ('platform' as const) }))
const anyAsked = fc
  .array(anyCoupon, { minLength: 1, maxLength: 5 })
  .map((list) => asked(...list.map((c, i) => coupon({ ...c, id: `id${i}`, code: `C${i}` }))))
const anyBasket = fc
  .record({
    lines: fc.array(
      fc.record({
        vendorId: fc.constantFrom(...vendors),
        categoryIds: fc.subarray(categories),
        amount: fc.bigInt(0n, 10_000_000n).map(bdt),
      }),
      { minLength: 1, maxLength: 20 },
    ),
    charges: fc.array(fc.bigInt(0n, 20_000n).map(bdt), { minLength: 3, maxLength: 3 }),
  })
  .map(({ lines, charges }) =>
    basket({
      lines: lines.map((l, i) => ({ ...l, lineId: `l${i}`, productId: `p${i}` })),
      deliveries: vendors.map((vendorId, i) => ({ vendorId, amount: charges[i]! })),
    }),
  )

test('what coupons take off is exactly what lines and deliveries get, and nothing goes below zero', () => {
  fc.assert(
    fc.property(anyAsked, anyBasket, (codes, b) => {
      const q = quote(codes, b)
      const given = [...q.lines, ...q.deliveries].reduce(
        (t, s) => t + s.vendorFunded.minor + s.platformFunded.minor,
        0n,
      )
      expect(q.coupons.reduce((t, c) => t + c.discount.minor, 0n)).toBe(given)
      const charges = [...b.lines, ...b.deliveries]
      ;[...q.lines, ...q.deliveries].forEach((split, i) => {
        expect(split.vendorFunded.minor >= 0n && split.platformFunded.minor >= 0n).toBe(true)
        expect(split.vendorFunded.minor + split.platformFunded.minor <= charges[i]!.amount.minor).toBe(true)
      })
    }),
    { numRuns: 500 },
  )
})

test('each payer gives exactly what its coupons take off', () => {
  fc.assert(
    fc.property(anyAsked, anyBasket, (codes, b) => {
      const q = quote(codes, b)
      for (const payer of ['vendor', 'platform'] as const) {
        const key = payer === 'vendor' ? 'vendorFunded' : 'platformFunded'
        const given = [...q.lines, ...q.deliveries].reduce((t, s) => t + s[key].minor, 0n)
        const taken = q.coupons.reduce(
          (t, c, i) => (codes[i]?.coupon?.fundedBy === payer ? t + c.discount.minor : t),
          0n,
        )
        expect(given).toBe(taken)
      }
    }),
  )
})

test("a vendor never pays for another vendor's goods, and a refused or capped coupon keeps its limit", () => {
  fc.assert(
    fc.property(anyAsked, anyBasket, (codes, b) => {
      const q = quote(codes, b)
      const payers = new Set(codes.flatMap(({ coupon: c }, i) => (q.coupons[i]?.reason ? [] : (c?.vendorId ?? []))))
      q.lines.forEach((split, i) => {
        if (split.vendorFunded.minor > 0n) expect(payers.has(b.lines[i]!.vendorId)).toBe(true)
      })
      q.coupons.forEach((verdict, i) => {
        const max = codes[i]?.coupon?.maxDiscount
        if (verdict.reason) expect(verdict.discount.minor).toBe(0n)
        if (max !== undefined) expect(verdict.discount.minor <= max).toBe(true)
      })
    }),
  )
})

test('only lines in scope get a discount', () => {
  fc.assert(
    fc.property(anyCoupon, anyBasket, (c, b) => {
      const one = coupon({ ...c, type: 'percent' })
      const q = quote(asked(one), b)
      q.lines.forEach((split, i) => {
        if (!inScope(one, b.lines[i]!)) expect(split.vendorFunded.minor + split.platformFunded.minor).toBe(0n)
      })
    }),
  )
})

test('the order of the codes changes no amount, as long as all are accepted', () => {
  fc.assert(
    fc.property(anyAsked, anyBasket, (codes, b) => {
      const open = codes.map((a) => ({ ...a, coupon: { ...a.coupon!, stackable: true } }))
      const [one, other] = [quote(open, b), quote([...open].reverse(), b)]
      expect(other.lines).toEqual(one.lines)
      expect(other.deliveries).toEqual(one.deliveries)
      expect([...other.coupons].reverse()).toEqual(one.coupons)
    }),
  )
})

test('a fixed amount is split over its lines by largest remainder', () => {
  const lines = [line('a', 100), line('b', 100), line('c', 100)]
  const q = quote(asked(coupon({ type: 'fixed', value: 100n })), basket({ lines }))
  expect(minors(q.lines.map((split) => split.platformFunded))).toEqual([34, 33, 33])
})

test('vendor-funded coupons come first and the next one works on what is left', () => {
  const platform = coupon({ code: 'A', value: 5_000n })
  const vendor = coupon({ code: 'Z', value: 1_000n, fundedBy: 'vendor', vendorId: 'v1' })
  const q = quote(asked(platform, vendor), basket())
  expect(q.lines[0]).toEqual({ vendorFunded: bdt(100), platformFunded: bdt(450) })
  expect(minors(q.coupons.map((c) => c.discount))).toEqual([450, 100])
})

test('a coupon that does not share keeps the later ones out, and is kept out by an earlier one', () => {
  const [shares, alone] = [coupon({ code: 'A' }), coupon({ code: 'B', stackable: false })]
  const reasons = (...list: Coupon[]) => quote(asked(...list), basket()).coupons.map((c) => c.reason)
  expect(reasons(shares, alone)).toEqual([undefined, 'coupon_not_stackable'])
  expect(reasons(alone, shares)).toEqual([undefined, 'coupon_not_stackable'])
  expect(reasons(shares, shares)).toEqual([undefined, 'coupon_not_stackable'])
  expect(reasons(coupon({ code: 'C', isActive: false }), alone)).toEqual(['coupon_inactive', undefined])
})

test('free delivery pays for the vendors with goods in scope, up to its cap', () => {
  const b = basket({
    lines: [line('a', 100), line('b', 100, { vendorId: 'v2' })],
    deliveries: [
      { vendorId: 'v1', amount: bdt(60) },
      { vendorId: 'v2', amount: bdt(80) },
    ],
  })
  const free = coupon({ type: 'free_shipping', value: 0n })
  const off = (c: Coupon) => minors(quote(asked(c), b).deliveries.map((split) => split.platformFunded))
  expect(off(free)).toEqual([60, 80])
  expect(off({ ...free, maxDiscount: 70n })).toEqual([30, 40])
  expect(off({ ...free, scopes: [{ type: 'vendor', refId: 'v2' }] })).toEqual([0, 80])
})

test('every reason for a refusal is told', () => {
  const hour = 3_600_000
  expect(quote(asked(undefined), basket()).coupons[0]?.reason).toBe('coupon_not_found')
  expect(reasonOf(coupon({ isActive: false }))).toBe('coupon_inactive')
  expect(reasonOf(coupon({ startsAt: new Date(NOW.getTime() + hour) }))).toBe('coupon_not_started')
  expect(reasonOf(coupon({ startsAt: NOW }))).toBeUndefined()
  expect(reasonOf(coupon({ endsAt: NOW }))).toBe('coupon_expired')
  expect(reasonOf(coupon({ usageLimit: 3, uses: 3 }))).toBe('coupon_exhausted')
  expect(reasonOf(coupon({ perUserLimit: 1 }), {}, 1)).toBe('coupon_user_limit')
  expect(reasonOf(coupon({ perUserLimit: 1 }), { userId: undefined })).toBe('coupon_sign_in_required')
  expect(reasonOf(coupon({ scopes: [{ type: 'user', refId: 'u1' }] }), { userId: undefined })).toBe(
    'coupon_sign_in_required',
  )
  expect(reasonOf(coupon({ scopes: [{ type: 'user', refId: 'u2' }] }))).toBe('coupon_not_for_user')
  expect(reasonOf(coupon({ scopes: [{ type: 'product', refId: 'p9' }] }))).toBe('coupon_scope_mismatch')
  expect(reasonOf(coupon({ vendorId: 'v2', fundedBy: 'vendor' }))).toBe('coupon_scope_mismatch')
  expect(reasonOf(coupon({ minOrderAmount: 1_001n, currency: 'BDT' }))).toBe('coupon_min_order')
  expect(reasonOf(coupon({ minOrderAmount: 1_000n, currency: 'BDT' }))).toBeUndefined()
  expect(reasonOf(coupon({ currency: 'USD' }))).toBe('coupon_currency_mismatch')
})

test('scopes of one type are alternatives, scopes of several types must all match', () => {
  const c = coupon({
    scopes: [
      { type: 'category', refId: 'c1' },
      { type: 'category', refId: 'c2' },
      { type: 'vendor', refId: 'v1' },
    ],
  })
  expect(inScope(c, line('a', 1, { categoryIds: ['c2'] }))).toBe(true)
  expect(inScope(c, line('a', 1, { categoryIds: ['c2'], vendorId: 'v2' }))).toBe(false)
  expect(inScope(c, line('a', 1, { categoryIds: ['c3'] }))).toBe(false)
})
