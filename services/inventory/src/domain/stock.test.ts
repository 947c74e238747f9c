import fc from 'fast-check'
import { expect, test } from 'vitest'
import { available, duplicateSku, fellLow, sameLines } from './stock.ts'

const stock = fc.record({
  onHand: fc.nat(1000),
  reserved: fc.nat(1000),
  reorderPoint: fc.nat(50),
  safetyStock: fc.nat(50),
})

test('what can be sold is never negative and never more than is on hand', () => {
  fc.assert(
    fc.property(stock, (s) => {
      const free = available(s)
      return free >= 0 && free <= s.onHand
    }),
  )
})

test('the vendor is warned once per fall, not at every sale below the reorder point', () => {
  const level = (onHand: number) => ({ onHand, reserved: 0, reorderPoint: 5, safetyStock: 0 })
  expect(fellLow(level(6), level(5))).toBe(true)
  expect(fellLow(level(5), level(4))).toBe(false)
  expect(fellLow(level(4), level(9))).toBe(false)
})

test('lines are the same in any order, and differ by quantity', () => {
  const a = [
    { sku: 'A', qty: 1 },
    { sku: 'B', qty: 2 },
  ]
  expect(sameLines(a, [...a].reverse())).toBe(true)
  expect(
    sameLines(a, [
      { sku: 'A', qty: 2 },
      { sku: 'B', qty: 1 },
    ]),
  ).toBe(false)
})

test('a SKU that occurs twice is found', () => {
  expect(
    duplicateSku([
      { sku: 'A', qty: 1 },
      { sku: 'B', qty: 1 },
      { sku: 'A', qty: 3 },
    ]),
  ).toBe('A')
  expect(duplicateSku([{ sku: 'A', qty: 1 }])).toBeUndefined()
})
