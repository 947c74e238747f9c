import { expect, test } from 'vitest'
import { kycComplete, mayMove, transitions, type VendorStatusName } from './status.ts'

const all = Object.keys(transitions) as VendorStatusName[]

test('a vendor moves only along the contract', () => {
  const moves = all.flatMap((from) => all.filter((to) => mayMove(from, to)).map((to) => `${from} -> ${to}`))
  expect(moves).toEqual([
    'pending -> active',
    'pending -> rejected',
    'active -> suspended',
    'suspended -> active',
    'suspended -> rejected',
    'rejected -> pending',
  ])
})

test('one accepted document is needed and a pending one blocks', () => {
  expect(kycComplete([])).toBe(false)
  expect(kycComplete(['rejected'])).toBe(false)
  expect(kycComplete(['accepted', 'rejected'])).toBe(true)
  expect(kycComplete(['accepted', 'pending'])).toBe(false)
})
