import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  moveVendorOrder,
  orderStatusOf,
  type VendorOrderMove,
  type VendorOrderStatus,
  vendorOrderMoves,
  vendorOrderStatesFor,
  vendorOrderTargets,
} from './vendor-order-state.ts'

const moves: VendorOrderMove[] = ['pay', 'accept', 'ship', 'deliver', 'cancel']
const statuses = Object.keys(vendorOrderMoves) as VendorOrderStatus[]

test('orders live through legal states only: nothing ships unaccepted, and nothing shipped is cancelled', () => {
  const story = fc.array(fc.record({ part: fc.nat(2), move: fc.constantFrom(...moves) }), { maxLength: 40 })
  fc.assert(
    fc.property(story, (steps) => {
      const parts: VendorOrderStatus[][] = [['awaiting_payment'], ['awaiting_payment'], ['awaiting_payment']]
      let shippedBefore = false
      for (const { part, move } of steps) {
        const life = parts[part]!
        const next = moveVendorOrder(life.at(-1)!, move)
        if (next) life.push(next)
        const status = orderStatusOf(parts.map((states) => states.at(-1)!))
        if (shippedBefore) expect(status).not.toBe('cancelled')
        shippedBefore ||= parts.some((states) => states.includes('shipped'))
      }
      for (const life of parts) {
        expect(new Set(life).size).toBe(life.length)
        if (life.includes('shipped'))
          expect(life.slice(0, 4)).toEqual(['awaiting_payment', 'pending', 'accepted', 'shipped'])
        if (life.includes('cancelled')) {
          expect(life.at(-1)).toBe('cancelled')
          expect(life).not.toContain('shipped')
        }
      }
    }),
    { numRuns: 10_000 },
  )
})

test('an order is as far as its slowest live part, and processing as soon as one is accepted', () => {
  const table: [VendorOrderStatus[], string][] = [
    [['awaiting_payment', 'awaiting_payment'], 'unfulfilled'],
    [['pending', 'pending'], 'unfulfilled'],
    [['pending', 'accepted'], 'processing'],
    [['pending', 'delivered'], 'processing'],
    [['accepted', 'shipped'], 'processing'],
    [['shipped', 'shipped'], 'shipped'],
    [['shipped', 'delivered'], 'shipped'],
    [['delivered', 'cancelled'], 'delivered'],
    [['delivered', 'delivered'], 'delivered'],
    [['cancelled', 'cancelled'], 'cancelled'],
  ]
  for (const [parts, status] of table) expect(orderStatusOf(parts)).toBe(status)
})

test('the order of the parts makes no difference to the order’s status', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...statuses), { minLength: 1, maxLength: 6 }), (parts) => {
      expect(orderStatusOf([...parts].reverse())).toBe(orderStatusOf(parts))
    }),
  )
})

test('a move leads to one state, wherever it is legal', () => {
  for (const move of moves)
    for (const state of vendorOrderStatesFor(move)) expect(moveVendorOrder(state, move)).toBe(vendorOrderTargets[move])
})
