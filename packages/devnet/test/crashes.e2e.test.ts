import { expect, test } from 'vitest'
import { crashes } from '../src/drills/crashes.ts'
import { startTestFleet } from './fleet.ts'

const fleet = await startTestFleet()

test('whatever is killed, cut or terminated under their hands, forty checkouts leave nothing lost, doubled or left over', async () => {
  const figures = await crashes(fleet, {
    checkouts: 40,
    atOnce: 6,
    everyMs: 500,
    strikes: 15,
    drainSeconds: 90,
    log: () => undefined,
  })
  expect(figures.faults).toEqual([])
  const { orders, strikes, outcomes } = figures
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, n) => total + n, 0)
  // The storm and the customers met.
  expect(sum(strikes)).toBe(15)
  expect(orders.paid).toBe((outcomes.pay ?? 0) + (outcomes['decline, pay'] ?? 0))
  expect(orders['paid, cancelled and refunded']).toBe(outcomes.repent)
  expect(orders.payable).toBe(outcomes.leave)
}, 180_000)
