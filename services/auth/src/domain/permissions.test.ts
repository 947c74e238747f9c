import { expect, test } from 'vitest'
import { contractPermissions, isStaffDefault } from './permissions.ts'

test('the permissions are those the contracts name, once each and sorted', () => {
  const keys = contractPermissions()
  expect(keys).toContain('users.read')
  expect(keys).toContain('orders.write')
  expect(keys).toEqual([...new Set(keys)].sort())
})

test('staff starts with reading and support, without money, people and the books', () => {
  const defaults = contractPermissions().filter(isStaffDefault)
  expect(defaults).toContain('orders.read')
  expect(defaults).toContain('reviews.moderate')
  for (const key of ['users.write', 'payments.refund', 'payouts.approve', 'ledger.read', 'vendors.write'])
    expect(defaults).not.toContain(key)
})
