import fc from 'fast-check'
import { expect, test } from 'vitest'
import { advance, inOrder, isTrackingNumber, type Journey, notInFuture, type Scan, trackingNumber } from './tracking.ts'

const start: Journey = { status: 'label_created', statusAt: undefined, shippedAt: undefined, deliveredAt: undefined }
const scan = fc.record({
  id: fc.uuid(),
  status: fc.constantFrom<Scan['status'][]>('label_created', 'in_transit', 'delivered', 'exception'),
  description: fc.constant(''),
  location: fc.constant(''),
  occurredAt: fc.integer({ min: 0, max: 20 }).map((ms) => new Date(ms)),
})
const scans = fc.array(scan, { maxLength: 12 })

test('scans in any order, however often, end in the same journey', () => {
  fc.assert(
    fc.property(
      scans.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      ([list, shuffled]) => {
        const expected = list.reduce(advance, start)
        expect(shuffled.reduce(advance, start)).toEqual(expected)
        expect([...shuffled, ...list].reduce(advance, start)).toEqual(expected)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a delivered parcel stays delivered, and a shipped one never goes back to its label', () => {
  fc.assert(
    fc.property(scans, scans, (before, after) => {
      const middle = before.reduce(advance, start)
      const end = after.reduce(advance, middle)
      if (middle.status === 'delivered') expect(end.status).toBe('delivered')
      if (middle.status !== 'label_created') expect(end.status).not.toBe('label_created')
    }),
  )
})

test('shipped is the first scan, delivered the first delivery', () => {
  fc.assert(
    fc.property(scans, (list) => {
      const { shippedAt, deliveredAt } = list.reduce(advance, start)
      const moving = inOrder(list).filter((s) => s.status !== 'label_created')
      expect(shippedAt).toEqual(moving[0]?.occurredAt)
      expect(deliveredAt).toEqual(moving.find((s) => s.status === 'delivered')?.occurredAt)
    }),
  )
})

test('a scan from the future counts as now', () => {
  const now = new Date(1_000)
  const future: Scan = { id: 'a', status: 'in_transit', description: '', location: '', occurredAt: new Date(9_000) }
  expect(notInFuture(future, now).occurredAt).toEqual(now)
  expect(notInFuture({ ...future, occurredAt: new Date(5) }, now).occurredAt).toEqual(new Date(5))
})

test('a tracking number is valid, and one wrong character is found', () => {
  const bytes = fc.uint8Array({ minLength: 12, maxLength: 12 })
  fc.assert(
    fc.property(
      bytes,
      fc.integer({ min: 2, max: 14 }),
      fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'),
      (b, i, c) => {
        const number = trackingNumber(b)
        expect(isTrackingNumber(number)).toBe(true)
        const wrong = number.slice(0, i) + c + number.slice(i + 1)
        if (wrong !== number) expect(isTrackingNumber(wrong)).toBe(false)
      },
    ),
  )
})
