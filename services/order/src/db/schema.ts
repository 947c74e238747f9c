import type { EventTables } from '@haat/kit/events/schema'
import type { IdempotencyKeys } from '@haat/kit/idempotency'
import type { Address } from '@haat/proto/common/v1/common'
import type { ColumnType, Generated } from 'kysely'
import type { CheckoutState } from '../domain/checkout-state.ts'
import type { OrderStatus, VendorOrderStatus } from '../domain/vendor-order-state.ts'

/** jsonb: read as a value, written as text. */
type Json<T> = ColumnType<T, string, string>

export type PaymentStatusName = 'pending' | 'paid' | 'failed' | 'refunded' | 'partial'

export type CancelReasonName =
  | 'customer_request'
  | 'out_of_stock'
  | 'vendor_request'
  | 'fraud'
  | 'payment_failed'
  | 'payment_expired'
  | 'checkout_failed'
  | 'refunded'
  | 'other'

export type OrderRow = {
  id: string
  order_no: string
  user_id: string
  email: string
  status: Generated<OrderStatus>
  payment_status: Generated<PaymentStatusName>
  currency: string
  subtotal: bigint
  discount: bigint
  shipping: bigint
  tax: bigint
  total: bigint
  refunded: Generated<bigint>
  prices_include_tax: boolean
  shipping_method: string
  coupon_codes: string[]
  cart_id: string
  cart_version: bigint
  intent_id: Generated<string>
  cancel_reason: CancelReasonName | null
  placed_at: Date | null
  pay_by: Date | null
  paid_at: Date | null
  delivered_at: Date | null
  cancelled_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type VendorOrderRow = {
  id: string
  order_id: string
  order_no: string
  vendor_id: string
  status: Generated<VendorOrderStatus>
  currency: string
  prices_include_tax: boolean
  subtotal: bigint
  vendor_funded_discount: bigint
  platform_funded_discount: bigint
  tax: bigint
  commission: bigint
  total: bigint
  refunded: Generated<bigint>
  option_id: string
  option_label: string
  option_carrier: string
  service_level: string
  min_days: number
  max_days: number
  shipping: bigint
  shipping_vendor_funded: bigint
  shipping_platform_funded: bigint
  shipping_tax: bigint
  shipping_tax_bps: number
  shipping_refunded: Generated<boolean>
  carrier: string
  tracking_no: Generated<string>
  cancel_reason: CancelReasonName | null
  placed_at: Date | null
  paid_at: Date | null
  accept_by: Date | null
  accepted_at: Date | null
  shipped_at: Date | null
  delivered_at: Date | null
  cancelled_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type OrderItemRow = {
  id: string
  order_id: string
  vendor_order_id: string
  vendor_id: string
  product_id: string
  sku: string
  title: string
  image: string
  option_values: Json<Record<string, string>>
  price: bigint
  qty: number
  subtotal: bigint
  vendor_funded_discount: bigint
  platform_funded_discount: bigint
  tax: bigint
  tax_class: string
  tax_bps: number
  total: bigint
  commission: bigint
  commission_rule_id: string
  commission_rule_version: bigint
  weight_grams: number
  category_ids: string[]
  refunded_qty: Generated<number>
  refunded_amount: Generated<bigint>
}

export type OrderAddressRow = { order_id: string; shipping_json: Json<Address>; billing_json: Json<Address> }

export type TimelineRow = {
  id: string
  seq: Generated<bigint>
  order_id: string
  vendor_order_id: string | null
  event: string
  note: string
  at: Date
  by_user_id: string | null
}

export type HeldCoupon = { couponId: string; code: string; discount: string }

export type CheckoutRow = {
  order_id: string
  user_id: string
  idempotency_key: string
  request_hash: string
  provider: 'stripe'
  coupons: Json<HeldCoupon[]>
  state: Generated<CheckoutState>
  step: Generated<'drafted' | 'placed' | 'committed'>
  recover_at: Date
  attempts: Generated<number>
  last_error: Generated<string>
  cancel_reason: CancelReasonName | null
  cancel_note: Generated<string>
  cancel_by: string | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type RefundRow = {
  id: string
  order_id: string
  kind: 'sale' | 'unsold' | 'payment'
  amount: bigint
  currency: string
  reason: string
  by_user_id: string | null
  state: 'pending' | 'accepted' | 'paid' | 'failed'
  restock: 'none' | 'pending' | 'done' | 'failed'
  restock_reason: Generated<'cancelled' | 'refunded'>
  attempts: Generated<number>
  next_attempt_at: Date
  last_error: Generated<string>
  key_scope: string | null
  idempotency_key: string | null
  request_hash: string | null
  created_at: Date
  paid_at: Date | null
}

export type RefundPartRow = {
  refund_id: string
  vendor_order_id: string
  vendor_id: string
  shipping: bigint
  shipping_vendor_funded: bigint
  shipping_platform_funded: bigint
  shipping_tax: bigint
  amount: bigint
  restocked: boolean
}

export type RefundLineRow = {
  refund_id: string
  order_item_id: string
  vendor_order_id: string
  product_id: string
  sku: string
  qty: number
  subtotal: bigint
  vendor_funded_discount: bigint
  platform_funded_discount: bigint
  tax: bigint
  commission: bigint
  amount: bigint
}

export type Database = EventTables & {
  orders: OrderRow
  vendor_orders: VendorOrderRow
  order_items: OrderItemRow
  order_addresses: OrderAddressRow
  order_timeline: TimelineRow
  checkouts: CheckoutRow
  refunds: RefundRow
  refund_parts: RefundPartRow
  refund_lines: RefundLineRow
  idempotency_keys: IdempotencyKeys
}
