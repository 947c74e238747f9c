import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addUnits,
  addWishes,
  type Contents,
  type Item,
  MAX_LINES,
  MAX_QTY,
  merge,
  nothing,
  removeSkus,
  setQty,
  takeOrdered,
} from './cart.ts'

const item = (sku: string, qty = 1, priceAtAdd = 100n): Item => ({
  sku,
  productId: `p-${sku}`,
  vendorId: 'v',
  title: sku,
  image: '',
  optionValues: [],
  qty,
  priceAtAdd,
})
const cart = (...items: Item[]): Contents => ({ items, couponCodes: [], currency: items.length ? 'BDT' : '' })
const quantities = (c: Contents) => c.items.map((i) => [i.sku, i.qty])
const anyCart = fc
  .uniqueArray(fc.record({ sku: fc.constantFrom(...'ABCDEFGH'), qty: fc.integer({ min: 1, max: MAX_QTY }) }), {
    selector: (line) => line.sku,
  })
  .map((lines) => cart(...lines.map((line) => item(line.sku, line.qty))))

test('adding keeps the order of lines and takes the price of now', () => {
  const c = addUnits(cart(item('A'), item('B')), item('A', 2, 150n), 'BDT', 10)
  expect(quantities(c)).toEqual([
    ['A', 3],
    ['B', 1],
  ])
  expect(c.items[0]?.priceAtAdd).toBe(150n)
})

test('adding refuses another currency, a full cart, too many units and more than there is', () => {
  const full = cart(...Array.from({ length: MAX_LINES }, (_, i) => item(`S${i}`)))
  expect(() => addUnits(cart(item('A')), item('B'), 'USD', 10)).toThrow(
    expect.objectContaining({ code: 'currency_mismatch' }),
  )
  expect(() => addUnits(full, item('B'), 'BDT', 10)).toThrow(expect.objectContaining({ code: 'cart_full' }))
  expect(quantities(addUnits(full, item('S7'), 'BDT', 10))[7]).toEqual(['S7', 2])
  expect(() => addUnits(cart(item('A', MAX_QTY)), item('A'), 'BDT', 99_999)).toThrow(
    expect.objectContaining({ code: 'qty_invalid' }),
  )
  expect(() => addUnits(cart(item('A', 2)), item('A', 2), 'BDT', 3)).toThrow(
    expect.objectContaining({ code: 'stock_insufficient', details: { sku: 'A', available: 3 } }),
  )
  expect(addUnits(cart(item('A')), item('A'), 'USD', 10).currency).toBe('USD')
})

test('a line that is not there has no quantity to set', () => {
  expect(quantities(setQty(cart(item('A')), 'A', 7))).toEqual([['A', 7]])
  expect(() => setQty(nothing, 'A', 7)).toThrow(expect.objectContaining({ code: 'cart_item_not_found' }))
})

test('a cart without lines has no currency', () => {
  expect(removeSkus(cart(item('A')), ['A', 'Z']).currency).toBe('')
  expect(takeOrdered(cart(item('A', 2)), new Map([['A', 2]]), [], 1).currency).toBe('')
})

test('merging adds up quantities per SKU, never above the limit, and loses no line of either', () => {
  fc.assert(
    fc.property(anyCart, anyCart, (own, other) => {
      const merged = merge(own, other)
      const sum = new Map<string, number>()
      for (const { sku, qty } of [...own.items, ...other.items])
        sum.set(sku, Math.min(MAX_QTY, (sum.get(sku) ?? 0) + qty))
      expect(new Map(merged.items.map((i) => [i.sku, i.qty]))).toEqual(sum)
    }),
  )
})

test('merging leaves another currency out and joins at most five coupons', () => {
  const own = { ...cart(item('A')), couponCodes: ['C1', 'C2', 'C3'] }
  const other = { ...cart(item('B')), currency: 'USD', couponCodes: ['C3', 'C4', 'C5', 'C6'] }
  const merged = merge(own, other)
  expect(quantities(merged)).toEqual([['A', 1]])
  expect(merged).toMatchObject({ currency: 'BDT', couponCodes: ['C1', 'C2', 'C3', 'C4', 'C5'] })
  expect(merge(nothing, other)).toMatchObject({ currency: 'USD', items: [{ sku: 'B' }] })
})

test('an order takes its quantities and coupons out; what was added meanwhile stays', () => {
  const c = { ...cart(item('A', 5), item('B', 1)), couponCodes: ['C1', 'C2'] }
  const left = takeOrdered(
    c,
    new Map([
      ['A', 3],
      ['B', 1],
      ['Z', 9],
    ]),
    ['C1'],
    1,
  )
  expect(quantities(left)).toEqual([['A', 2]])
  expect(left.couponCodes).toEqual(['C2'])
})

test('an order takes nothing from a line that came after it', () => {
  const again = { ...item('A', 3), since: 5 }
  const ordered = new Map([
    ['A', 3],
    ['B', 1],
  ])
  expect(quantities(takeOrdered(cart(again, { ...item('B'), since: 4 }), ordered, [], 4))).toEqual([['A', 3]])
})

test('every wished unit is either added or told as left out', () => {
  const wish = fc.record({
    sku: fc.constantFrom(...'ABCDEFGH'),
    qty: fc.integer({ min: 1, max: MAX_QTY }),
    currency: fc.constantFrom('BDT', 'BDT', 'USD'),
    sellable: fc.boolean(),
    available: fc.nat(2 * MAX_QTY),
  })
  fc.assert(
    fc.property(anyCart, fc.array(wish, { maxLength: 10 }), (own, wishes) => {
      const units = (c: Contents) => c.items.reduce((sum, i) => sum + i.qty, 0)
      const { cart: after, skipped } = addWishes(
        own,
        wishes.map((w) => ({ ...w, item: item(w.sku, w.qty) })),
      )
      const wished = wishes.reduce((sum, w) => sum + w.qty, 0)
      expect(units(after) - units(own) + skipped.reduce((sum, s) => sum + s.qty, 0)).toBe(wished)
      expect(skipped.every((s) => s.qty > 0)).toBe(true)
      expect(after.items.every((i) => i.qty <= MAX_QTY)).toBe(true)
    }),
  )
})
