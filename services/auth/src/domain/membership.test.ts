import { expect, test } from 'vitest'
import { chooseVendor } from './membership.ts'

const [a, b, c] = ['a', 'b', 'c'].map((vendorId) => ({ vendorId, permissions: ['orders.read'] }))

test('an own vendor comes before one a person works for, and that before another', () => {
  const own = { vendorId: 'z', permissions: ['*'] }
  expect(chooseVendor([a!, own], 'a')).toBe(own)
  expect(chooseVendor([a!, b!, c!], 'b')).toBe(b)
  expect(chooseVendor([c!, a!, b!], null)).toBe(a)
  expect(chooseVendor([], 'a')).toBeUndefined()
})
