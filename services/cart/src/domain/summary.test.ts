import { allocate } from '@haat/money/allocate'
import { type Money, money } from '@haat/money/money'
import { applyBps, multiplyRatio } from '@haat/money/ratio'
import { ChangeKind } from '@haat/proto/cart/v1/cart'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Contents, Item } from './cart.ts'
import { revisionOf } from './revision.ts'
import {
  type Basket,
  blocks,
  calculate,
  chooseDeliveries,
  discounted,
  type Offer,
  parcelsOf,
  priceLines,
  type Rate,
} from './summary.ts'

const bdt = (minor: bigint | number): Money => money('BDT', BigInt(minor))
const item = (sku: string, more: Partial<Item> = {}): Item => ({
  sku,
  productId: `p-${sku}`,
  vendorId: 'v1',
  title: sku,
  image: '',
  optionValues: [],
  qty: 1,
  priceAtAdd: 100n,
  ...more,
})
const offer = (sku: string, more: Partial<Offer> = {}): Offer => ({
  sku,
  productId: `p-${sku}`,
  vendorId: 'v1',
  title: sku,
  imageUrl: '',
  optionValues: {},
  price: bdt(100),
  taxClass: 'standard',
  weightGrams: 10,
  categoryIds: [],
  ...more,
})
const rate = (optionId: string, minor: bigint | number): Rate => ({
  optionId,
  label: optionId,
  carrier: 'table',
  serviceLevel: 'standard',
  amount: bdt(minor),
  minDays: 1,
  maxDays: 3,
})
const cart = (...items: Item[]): Contents => ({ items, couponCodes: [], currency: 'BDT' })
const price = (c: Contents, offers: Offer[], stock: Record<string, number>) =>
  priceLines(c, new Map(offers.map((o) => [o.sku, o])), new Map(Object.entries(stock)))

const vendors = ['v1', 'v2', 'v3']
/** A random cart, priced, with random discounts and the taxes they leave. */
const anyBasket = fc
  .record({
    lines: fc.array(
      fc.record({
        vendorId: fc.constantFrom(...vendors),
        qty: fc.integer({ min: 1, max: 50 }),
        available: fc.integer({ min: 0, max: 60 }),
        price: fc.bigInt(0n, 5_000_000n),
        priceAtAdd: fc.bigInt(0n, 5_000_000n),
        gone: fc.boolean(),
        offShare: fc.bigInt(0n, 100n),
        vendorShare: fc.bigInt(0n, 100n),
      }),
      { minLength: 1, maxLength: 15 },
    ),
    charges: fc.array(fc.option(fc.bigInt(0n, 20_000n), { nil: undefined }), { minLength: 3, maxLength: 3 }),
    deliveryOff: fc.bigInt(0n, 100n),
    bps: fc.integer({ min: 0, max: 2_500 }),
    included: fc.boolean(),
  })
  .map(({ lines, charges, deliveryOff, bps, included }) => {
    const contents = cart(
      ...lines.map((l, i) => item(`S${i}`, { vendorId: l.vendorId, qty: l.qty, priceAtAdd: l.priceAtAdd })),
    )
    const offers = lines.flatMap((l, i) =>
      l.gone ? [] : [offer(`S${i}`, { vendorId: l.vendorId, price: bdt(l.price) })],
    )
    const stock = Object.fromEntries(lines.map((l, i) => [`S${i}`, l.available]))
    const priced = price(contents, offers, stock).lines
    const split = (amount: Money, share: bigint, vendorShare: bigint) => {
      const [off] = allocate(amount, [share, 100n - share])
      const [vendorFunded, platformFunded] = allocate(off!, [vendorShare, 100n - vendorShare])
      return { vendorFunded: vendorFunded!, platformFunded: platformFunded! }
    }
    const tax = (net: Money) => ({ amount: included ? multiplyRatio(net, bps, 10_000 + bps) : applyBps(net, bps), bps })
    const rates = new Map<string, Rate[]>(
      vendors.map((id, i) => [id, charges[i] === undefined ? [] : [rate('std', charges[i])]]),
    )
    const living = parcelsOf(priced, 'BDT').map((parcel) => parcel.vendorId)
    const { deliveries } = chooseDeliveries(living, rates, new Map())
    const lineSplits = new Map(
      priced.map((l, i) => [l.item.sku, split(l.subtotal, lines[i]!.offShare, lines[i]!.vendorShare)]),
    )
    const deliverySplits = new Map(
      deliveries.flatMap((d) => (d.chosen ? [[d.vendorId, split(d.chosen.amount, deliveryOff, 0n)] as const] : [])),
    )
    const basket: Basket = {
      currency: 'BDT',
      lines: priced,
      deliveries,
      discounts: { lines: lineSplits, deliveries: deliverySplits },
      taxes: {
        lines: new Map(priced.map((l) => [l.item.sku, tax(discounted(l.subtotal, lineSplits.get(l.item.sku)).net)])),
        deliveries: new Map(
          deliveries.flatMap((d) =>
            d.chosen
              ? [[d.vendorId, tax(discounted(d.chosen.amount, deliverySplits.get(d.vendorId)).net)] as const]
              : [],
          ),
        ),
        included,
      },
      vendorNames: new Map(),
    }
    return { basket, contents, offers, stock }
  })

const fields = ['subtotal', 'discount', 'shipping', 'tax', 'total'] as const
const add = (amounts: (Money | undefined)[]) => amounts.reduce((sum, amount) => sum + (amount?.minor ?? 0n), 0n)

test('groups add up to the totals, and lines with their delivery to the groups, in both tax modes', () => {
  fc.assert(
    fc.property(anyBasket, ({ basket }) => {
      const { groups, totals } = calculate(basket)
      for (const field of fields) expect(add(groups.map((group) => group[field]))).toBe(totals[field]!.minor)
      for (const group of groups) {
        const { delivery } = group
        const off = add([delivery?.vendorFundedDiscount, delivery?.platformFundedDiscount])
        expect(group.subtotal!.minor).toBe(add(group.lines.map((line) => line.subtotal)))
        expect(group.shipping!.minor).toBe(delivery?.amount?.minor ?? 0n)
        expect(group.discount!.minor).toBe(add(group.lines.map((line) => line.discount)) + off)
        expect(group.tax!.minor).toBe(add(group.lines.map((line) => line.tax)) + (delivery?.tax?.minor ?? 0n))
        expect(group.total!.minor).toBe(add(group.lines.map((line) => line.total)) + (delivery?.total?.minor ?? 0n))
      }
    }),
    { numRuns: 500 },
  )
})

test('total = subtotal + shipping - discount + (prices include tax ? 0 : tax), at every level', () => {
  fc.assert(
    fc.property(anyBasket, ({ basket }) => {
      const { groups, totals } = calculate(basket)
      const onTop = (tax: Money | undefined) => (basket.taxes.included ? 0n : tax!.minor)
      for (const sums of [totals, ...groups])
        expect(sums.total!.minor).toBe(
          sums.subtotal!.minor + sums.shipping!.minor - sums.discount!.minor + onTop(sums.tax),
        )
      for (const line of groups.flatMap((group) => group.lines)) {
        expect(line.subtotal!.minor).toBe(line.unitPrice!.minor * BigInt(line.qty))
        expect(line.discount!.minor).toBe(line.vendorFundedDiscount!.minor + line.platformFundedDiscount!.minor)
        expect(line.total!.minor).toBe(line.subtotal!.minor - line.discount!.minor + onTop(line.tax))
        expect(line.total!.minor >= 0n).toBe(true)
      }
    }),
  )
})

test('no amount depends on what the cart remembers of a price', () => {
  fc.assert(
    fc.property(anyBasket, fc.bigInt(0n, 9_999_999n), ({ basket, contents, offers, stock }, other) => {
      const forged = cart(...contents.items.map((i) => ({ ...i, priceAtAdd: other })))
      const amounts = (b: Basket) => {
        const { groups, totals } = calculate(b)
        return {
          groups: groups.map((g) => ({ ...g, lines: g.lines.map((l) => ({ ...l, priceAtAdd: undefined })) })),
          totals,
        }
      }
      expect(amounts({ ...basket, lines: price(forged, offers, stock).lines })).toEqual(amounts(basket))
    }),
  )
})

test('a price that changed is told and does not block; the new one counts', () => {
  const { lines, changes } = price(cart(item('A', { qty: 2 })), [offer('A', { price: bdt(150) })], { A: 9 })
  expect(lines[0]).toMatchObject({ qty: 2, subtotal: bdt(300) })
  expect(changes).toMatchObject([{ kind: ChangeKind.PRICE_CHANGED, sku: 'A', oldPrice: bdt(100), newPrice: bdt(150) }])
  expect(blocks(changes)).toBe(false)
})

test('gone, sold out and scarce lines are told, block, and count only what can be had', () => {
  const c = cart(item('A'), item('B'), item('C', { qty: 5 }), item('D'))
  const offers = [offer('B'), offer('C'), offer('D', { price: money('USD', 100n) })]
  const { lines, changes } = price(c, offers, { C: 2, D: 5 })
  expect(changes.map(({ kind, sku }) => [kind, sku])).toEqual([
    [ChangeKind.GONE, 'A'],
    [ChangeKind.OUT_OF_STOCK, 'B'],
    [ChangeKind.QUANTITY_REDUCED, 'C'],
    [ChangeKind.GONE, 'D'],
  ])
  expect(changes[2]).toMatchObject({ oldQty: 5, newQty: 2 })
  expect(changes.every((change) => blocks([change]))).toBe(true)
  expect(lines.map((line) => [line.qty, line.subtotal.minor])).toEqual([
    [0, 0n],
    [0, 0n],
    [2, 200n],
    [0, 0n],
  ])
  expect(parcelsOf(lines, 'BDT')).toEqual([{ vendorId: 'v1', weightGrams: 20, total: bdt(200), itemCount: 2 }])
})

test('delivery is the chosen option, else the cheapest; an option that is not offered is never replaced', () => {
  const rates = new Map([
    ['v1', [rate('slow', 50), rate('fast', 90)]],
    ['v2', []],
  ])
  const chosen = (choices: [string, string][]) => {
    const { deliveries, changes } = chooseDeliveries(['v1', 'v2'], rates, new Map(choices))
    return [deliveries[0]?.chosen?.optionId, changes.map((change) => change.vendorId)]
  }
  expect(chosen([])).toEqual(['slow', ['v2']])
  expect(chosen([['v1', 'fast']])).toEqual(['fast', ['v2']])
  expect(chosen([['v1', 'gone']])).toEqual([undefined, ['v1', 'v2']])
})

test('a discount that is negative or more than its amount is refused, whoever sent it', () => {
  expect(() => discounted(bdt(10), { vendorFunded: bdt(6), platformFunded: bdt(5) })).toThrow()
  expect(() => discounted(bdt(10), { vendorFunded: bdt(-1), platformFunded: bdt(5) })).toThrow()
})

test('the revision changes with every amount and with nothing that is not priced', () => {
  const basket = (unit: number): Basket => ({
    currency: 'BDT',
    lines: price(cart(item('A')), [offer('A', { price: bdt(unit) })], { A: unit }).lines,
    deliveries: [{ vendorId: 'v1', options: [rate('slow', 50), rate('fast', unit)], chosen: rate('slow', 50) }],
    discounts: { lines: new Map(), deliveries: new Map() },
    taxes: { lines: new Map(), deliveries: new Map(), included: false },
    vendorNames: new Map(),
  })
  const summary = (b: Basket) => ({ cartId: 'c', ...calculate(b), coupons: [], changes: [], blocking: false })
  const base = revisionOf(summary(basket(100)))
  expect(revisionOf(summary(basket(101)))).not.toBe(base)
  expect(revisionOf(summary({ ...basket(100), vendorNames: new Map([['v1', 'Shop']]) }))).toBe(base)
  const restocked = price(cart(item('A', { title: 'new', priceAtAdd: 7n })), [offer('A')], { A: 7 }).lines
  expect(revisionOf(summary({ ...basket(100), lines: restocked }))).toBe(base)
  const fast = [{ vendorId: 'v1', options: [], chosen: rate('fast', 50) }]
  expect(revisionOf(summary({ ...basket(100), deliveries: fast }))).not.toBe(base)
})
