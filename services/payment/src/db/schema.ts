import type { EventTables } from '@haat/kit/events/schema'
import type { IdempotencyKeys } from '@haat/kit/idempotency'
import type { ColumnType, Generated } from 'kysely'

export type PaymentState =
  | 'creating'
  | 'requires_payment'
  | 'processing'
  | 'succeeded'
  | 'failed'
  | 'voided'
  | 'partially_refunded'
  | 'refunded'
  | 'under_review'
export type RefundState = 'requested' | 'submitted' | 'succeeded' | 'failed'
export type PayoutState = 'processing' | 'paid' | 'failed'
export type LedgerKind = 'sale' | 'refund' | 'payout' | 'payout_reversal' | 'adjustment' | 'fee' | 'chargeback'

/** A jsonb column: read parsed, written as text. */
type Json = ColumnType<unknown, string, string>
type JsonWithDefault = ColumnType<unknown, string | undefined, string>

export type PaymentRow = {
  id: string
  order_id: string
  order_no: string
  user_id: string
  provider: 'stripe'
  intent_id: string | null
  status: PaymentState
  amount: bigint
  currency: string
  refunded_amount: Generated<bigint>
  allocations: Json
  request_hash: string
  failure_code: Generated<string>
  key_generation: Generated<number>
  void_requested_at: Date | null
  movement_id: string | null
  next_check_at: Date | null
  checks: Generated<number>
  raw_json: JsonWithDefault
  paid_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type RefundRow = {
  id: string
  payment_id: string
  order_id: string
  amount: bigint
  currency: string
  reason: string
  status: RefundState
  external_ref: string | null
  allocations: Json
  request_hash: string
  requested_by: string
  failure_code: Generated<string>
  key_generation: Generated<number>
  attempts: number
  next_attempt_at: Date | null
  raw_json: JsonWithDefault
  created_at: Generated<Date>
  completed_at: Date | null
  updated_at: Generated<Date>
}

export type PayoutRow = {
  id: string
  vendor_id: string
  amount: bigint
  currency: string
  provider: 'stripe'
  method: string
  status: PayoutState
  destination: string
  country: string
  external_ref: string | null
  failure_code: string
  reversed_amount: Generated<bigint>
  key_generation: Generated<number>
  attempts: number
  next_attempt_at: Date | null
  raw_json: JsonWithDefault
  created_at: Generated<Date>
  completed_at: Date | null
  updated_at: Generated<Date>
}

export type WebhookEventRow = {
  provider: 'stripe'
  event_id: string
  type: string
  subject_kind: 'intent' | 'refund' | 'dispute' | 'transfer' | 'other'
  subject_id: string
  status: 'received' | 'processed' | 'ignored' | 'failed'
  attempts: Generated<number>
  next_attempt_at: Date | null
  received_at: Generated<Date>
  processed_at: Date | null
}

export type Database = EventTables & {
  idempotency_keys: IdempotencyKeys
  payments: PaymentRow
  voided_orders: { order_id: string; voided_at: Generated<Date> }
  payment_attempts: {
    id: string
    payment_id: string
    provider_ref: string
    outcome: 'succeeded' | 'failed'
    code: string
    at: Generated<Date>
  }
  refunds: RefundRow
  payouts: PayoutRow
  provider_accounts: { provider: 'stripe'; vendor_id: string; account_id: string; created_at: Generated<Date> }
  chargebacks: {
    external_ref: string
    payment_id: string
    amount: bigint
    currency: string
    reason: string
    status: string
    created_at: Generated<Date>
    updated_at: Generated<Date>
  }
  webhook_events: WebhookEventRow
  provider_cursors: { provider: 'stripe'; read_to: Date }
  ledger_accounts: { code: string; vendor_id: string | null; created_at: Generated<Date> }
  ledger_transactions: {
    id: string
    kind: LedgerKind
    business_key: string
    reference: string
    postings: number
    posted_at: Generated<Date>
  }
  ledger_postings: {
    id: string
    transaction_id: string
    account: string
    currency: string
    amount: bigint
    order_id: string | null
    vendor_order_id: string | null
    vendor_id: string | null
    posted_at: Generated<Date>
  }
}
