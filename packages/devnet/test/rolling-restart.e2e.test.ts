import { expect, test } from 'vitest'
import { rollingRestart } from '../src/drills/rolling-restart.ts'
import { startTestFleet } from './fleet.ts'

const fleet = await startTestFleet({ fronts: true })

test('while processes are replaced one after another, no request of customers, vendors and staff fails', async () => {
  const figures = await rollingRestart(fleet, {
    names: ['order', 'auth', 'bff-storefront', 'cart', 'payment'],
    customers: 3,
    readers: 2,
    drainSeconds: 60,
    log: () => undefined,
  })
  expect(figures.faults).toEqual([])
  expect(figures.failed).toEqual({})
  expect(figures.requests).toBeGreaterThan(100)
  expect(figures.orders.paid).toBeGreaterThan(0)
}, 180_000)
