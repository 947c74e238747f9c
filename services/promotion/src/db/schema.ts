import type { EventTables } from '@haat/kit/events/schema'
import type { Generated } from 'kysely'

export type CouponRow = {
  id: string
  code: string
  description: string
  type: 'percent' | 'fixed' | 'free_shipping'
  value: bigint
  currency: string | null
  min_order_amount: bigint | null
  max_discount: bigint | null
  starts_at: Date | null
  ends_at: Date | null
  usage_limit: number | null
  per_user_limit: number | null
  funded_by: 'platform' | 'vendor'
  vendor_id: string | null
  stackable: boolean
  is_active: boolean
  held_count: Generated<number>
  redeemed_count: Generated<number>
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type CouponScopeRow = {
  id: string
  coupon_id: string
  scope_type: 'vendor' | 'category' | 'product' | 'user'
  ref_id: string
}

export type CouponUsageRow = {
  id: string
  coupon_id: string
  user_id: string
  order_id: string
  state: 'held' | 'redeemed' | 'released'
  discount: bigint
  currency: string
  expires_at: Date
  used_at: Date | null
  order_sequence: Generated<bigint>
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type CouponUserCountRow = { coupon_id: string; user_id: string; uses: number }

export type Database = EventTables & {
  coupons: CouponRow
  coupon_scopes: CouponScopeRow
  coupon_usages: CouponUsageRow
  coupon_user_counts: CouponUserCountRow
}
