import { registry } from '@haat/proto/image'
import { VendorOrderAccepted } from '@haat/proto/order/v1/events'
import { expect, test } from 'vitest'
import { eventOf } from './definition.ts'
import { merge, split, splitEvent } from './sensitive.ts'

const order = eventOf(VendorOrderAccepted).toJSON(
  VendorOrderAccepted.fromPartial({
    orderNo: 'H-1',
    email: 'rahima@example.com',
    shipTo: { name: 'Rahima', line1: '12 Green Road', city: 'Dhaka', country: 'BD' },
    items: [
      { sku: 'TEA-1', qty: 2 },
      { sku: 'CUP-1', qty: 1 },
    ],
  }),
)

test('an event is taken apart along its contract, and is as it was when put together', () => {
  const { plain, secret } = splitEvent({ type: 'vendor_order.accepted', data: order })
  expect(plain).toMatchObject({ orderNo: 'H-1', items: [{ sku: 'TEA-1' }, { sku: 'CUP-1' }] })
  expect(JSON.stringify(plain)).not.toMatch(/rahima|Green Road/i)
  expect(secret).toEqual({ email: 'rahima@example.com', shipTo: expect.objectContaining({ line1: '12 Green Road' }) })
  expect(merge(plain, secret)).toEqual(order)
})

test('what inner messages hide is hidden as well', () => {
  const answer = { tokens: { accessToken: 'a', refreshToken: 'r', accessTokenExpiresAt: 'soon' }, user: { id: 'u' } }
  const { plain, secret } = split(registry.getMessage('haat.auth.v1.LoginResponse')!, answer)
  expect(plain).toEqual({ tokens: { accessTokenExpiresAt: 'soon' }, user: { id: 'u' } })
  expect(merge(plain, secret)).toEqual(answer)
})

test('an event whose contract marks nothing is one part, and so is one of a type nobody knows', () => {
  const data = { orderId: 'x', reason: 'because' }
  for (const type of ['user.blocked', 'no.such.event'])
    expect(splitEvent({ type, data })).toEqual({ plain: data, secret: undefined })
})

test('lists whose items hide something come back item by item', () => {
  const plain = { people: [{ id: 1 }, { id: 2 }, { id: 3 }] }
  const secret = { people: [null, { name: 'B' }, null] }
  expect(merge(plain, secret)).toEqual({ people: [{ id: 1 }, { id: 2, name: 'B' }, { id: 3 }] })
})
