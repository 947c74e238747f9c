import type { ChannelName, TopicName } from './names.ts'
import type { Payload } from './values.ts'

/** A message that comes with Haat; its texts are in templates/<locale>/<key>.<channel>.md. */
export type BuiltIn = {
  topic: TopicName
  /** It holds a secret: its body is blanked once sent. */
  confidential?: true
  /** E-mail only unless others are named. */
  channels?: ChannelName[]
  /** Every variable its texts may use, with a value to show in previews. */
  sample: Payload
}

const taka = (minor: string) => ({ currency: 'BDT', minor })
const at = '2026-03-14T09:30:00Z'
const vendor = { vendorName: 'Dhaka Crafts' }
const payout = { ...vendor, payoutId: '0195b3a0-0000-7000-8000-000000000001', amount: taka('4250000') }
const order = { orderNo: 'HT-2026-000123' }
const lines = [
  { title: 'Jamdani saree', sku: 'JMD-RED-1', qty: 1, total: taka('850000') },
  { title: 'Clay tea set', sku: 'CLY-TEA-6', qty: 2, total: taka('240000') },
]
const items = lines.map(({ title, sku, qty }) => ({ title, sku, qty }))
const amounts = {
  subtotal: taka('1090000'),
  discount: taka('50000'),
  shipping: taka('12000'),
  tax: taka('0'),
  total: taka('1052000'),
}
const parcel = { ...order, items, carrier: 'Haat Express', trackingNo: 'HX123456789BD' }
const product = { title: 'Clay tea set', slug: 'clay-tea-set', productId: '0195b3a0-0000-7000-8000-000000000002' }
const reason = 'The scan is not readable.'

/** Who a message is for and where the site is: every template may use these. */
export const COMMON: Payload = {
  recipient: { name: 'Ayesha Rahman' },
  site: { name: 'Haat', storefront: 'https://haat.example', vendor: 'https://vendor.haat.example' },
}

export const builtIn = {
  welcome: { topic: 'account', sample: {} },
  email_verification: { topic: 'account', confidential: true, sample: { token: 'sample-token', expiresAt: at } },
  password_reset: { topic: 'account', confidential: true, sample: { token: 'sample-token', expiresAt: at } },
  password_changed: { topic: 'account', sample: { changedAt: at } },
  account_blocked: { topic: 'account', sample: { reason: 'Several reports of fraud.' } },
  account_unblocked: { topic: 'account', sample: {} },

  vendor_applied: { topic: 'vendor', sample: vendor },
  vendor_approved: { topic: 'vendor', sample: { ...vendor, slug: 'dhaka-crafts' } },
  vendor_rejected: { topic: 'vendor', sample: { ...vendor, reason } },
  vendor_suspended: { topic: 'vendor', sample: { ...vendor, reason } },
  vendor_kyc_reviewed: {
    topic: 'vendor',
    sample: { ...vendor, accepted: false, reason, document: { trade_license: true } },
  },
  vendor_bank_reviewed: { topic: 'vendor', sample: { ...vendor, verified: true, last4: '4821', reason: '' } },
  vendor_member_added: { topic: 'vendor', sample: vendor },
  vendor_member_removed: { topic: 'vendor', sample: vendor },

  product_approved: { topic: 'vendor', sample: { ...product, isChange: false } },
  product_rejected: {
    topic: 'vendor',
    sample: { ...product, isChange: true, reason: 'The pictures show another item.' },
  },
  low_stock: { topic: 'vendor', sample: { sku: 'CLY-TEA-6', onHand: 5, available: 3, reorderPoint: 4 } },

  order_placed: { topic: 'orders', sample: { ...order, lines, amounts, payBy: at } },
  order_paid: { topic: 'orders', channels: ['email', 'push'], sample: { ...order, lines, amounts, paidAt: at } },
  order_cancelled: {
    topic: 'orders',
    sample: { ...order, wasPaid: true, note: '', why: { payment_expired: true }, items },
  },
  order_refunded: {
    topic: 'orders',
    channels: ['email', 'push'],
    sample: { ...order, amount: taka('240000'), full: false, reason: 'Damaged on arrival' },
  },
  payment_failed: { topic: 'orders', sample: { ...order, amount: taka('1052000'), why: { card_declined: true } } },
  vendor_order_accepted: { topic: 'orders', sample: { ...order, items } },
  vendor_order_cancelled: {
    topic: 'orders',
    sample: { ...order, items, wasPaid: true, note: 'The kiln broke.', why: { out_of_stock: true } },
  },
  vendor_order_shipped: { topic: 'shipping', channels: ['email', 'sms', 'push'], sample: { ...parcel, shippedAt: at } },
  vendor_order_delivered: {
    topic: 'shipping',
    channels: ['email', 'sms', 'push'],
    sample: { ...parcel, deliveredAt: at },
  },

  vendor_order_new: {
    topic: 'vendor',
    channels: ['email', 'push'],
    sample: {
      ...order,
      vendorOrderId: '0195b3a0-0000-7000-8000-000000000003',
      lines,
      net: taka('960000'),
      acceptBy: at,
    },
  },
  vendor_order_withdrawn: {
    topic: 'vendor',
    channels: ['email', 'push'],
    sample: { ...order, vendorOrderId: '0195b3a0-0000-7000-8000-000000000003', items, note: '' },
  },

  payout_requested: { topic: 'vendor', sample: payout },
  payout_approved: { topic: 'vendor', sample: { ...payout, last4: '4821' } },
  payout_rejected: { topic: 'vendor', sample: { ...payout, reason: 'A dispute is open.' } },
  payout_processed: { topic: 'vendor', sample: { ...payout, reference: 'tr_1Nq', processedAt: at } },
  payout_failed: { topic: 'vendor', sample: { ...payout, why: { account_invalid: true } } },

  review_approved: { topic: 'reviews', sample: { rating: 5 } },
  review_rejected: { topic: 'reviews', sample: { rating: 2, reason: 'It names a private person.' } },
  review_replied: { topic: 'reviews', sample: {} },

  cart_abandoned: {
    topic: 'marketing',
    sample: { items: items.map(({ title, qty }) => ({ title, qty })), subtotal: taka('1090000') },
  },
} as const satisfies Record<string, BuiltIn>

export type BuiltInKey = keyof typeof builtIn

export const findBuiltIn = (key: string): BuiltIn | undefined =>
  Object.hasOwn(builtIn, key) ? builtIn[key as BuiltInKey] : undefined

export const channelsOf = (key: BuiltInKey): readonly ChannelName[] => findBuiltIn(key)?.channels ?? ['email']
