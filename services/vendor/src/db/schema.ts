import type { EventTables } from '@haat/kit/events/schema'
import type { IdempotencyKeys } from '@haat/kit/idempotency'
import type { Selectable } from '@haat/kit/postgres'
import type { Generated } from 'kysely'

export type VendorsTable = {
  id: string
  owner_user_id: string
  name: string
  slug: string
  description: Generated<string>
  logo_url: Generated<string>
  status: 'pending' | 'active' | 'suspended' | 'rejected'
  status_reason: Generated<string>
  support_email: string
  support_phone: Generated<string>
  default_currency: string
  ships_from_country: string
  ships_from_postal_code: Generated<string>
  rating_avg: Generated<number>
  rating_count: Generated<number>
  rating_version: Generated<bigint>
  approved_at: Date | null
  bank_changed_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type VendorMembersTable = {
  vendor_id: string
  user_id: string
  is_owner: boolean
  permissions: string[]
  email: string
  added_at: Generated<Date>
}

export type VendorStatusHistoryTable = {
  id: string
  vendor_id: string
  from_status: string
  to_status: string
  reason: string
  by_user_id: string
  at: Generated<Date>
}

export type VendorKycDocsTable = {
  id: string
  vendor_id: string
  doc_type: string
  doc_url: string
  file_name: string
  content_type: string
  size_bytes: number
  status: 'pending' | 'accepted' | 'rejected'
  reason: Generated<string>
  reviewed_by: string | null
  verified_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type VendorKycContentsTable = { document_id: string; content: Buffer; key_version: string }

export type VendorBankAccountsTable = {
  id: string
  vendor_id: string
  account_holder: string
  account_no: Buffer | null
  iban: Buffer | null
  key_version: string
  last4: string
  is_iban: boolean
  bank_name: string
  routing: string
  country: string
  is_default: boolean
  make_default: boolean
  status: 'pending' | 'verified' | 'rejected'
  reason: Generated<string>
  reviewed_by: string | null
  verified_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type CommissionRuleSetsTable = { version: bigint; created_by: string; created_at: Generated<Date> }

export type CommissionRulesTable = {
  id: string
  version: bigint
  position: number
  scope: 'default' | 'vendor' | 'category' | 'product'
  ref_id: string | null
  percent_bps: number
  currency: string | null
  fixed: bigint | null
  min: bigint | null
  max: bigint | null
  note: string
}

export type VendorOrderSalesTable = {
  vendor_order_id: string
  vendor_id: string
  order_id: string
  order_no: string
  net: bigint | null
  currency: string | null
  delivered_at: Date | null
  eligible_at: Date | null
  settled_at: Date | null
  updated_at: Generated<Date>
}

export type VendorPayoutsTable = {
  id: string
  vendor_id: string
  amount: bigint
  currency: string
  method: string
  external_ref: Generated<string>
  status: 'requested' | 'processing' | 'paid' | 'failed' | 'rejected'
  reason: Generated<string>
  bank_account_id: string
  bank_last4: string
  requested_by: string
  requested_at: Date
  decided_by: string | null
  decided_at: Date | null
  paid_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type VendorEarningsTable = {
  id: string
  vendor_id: string
  type: 'sale' | 'refund' | 'adjustment' | 'payout'
  status: 'pending' | 'eligible' | 'paid'
  order_id: string | null
  vendor_order_id: string | null
  order_item_id: string | null
  order_no: Generated<string>
  reference: string
  sku: Generated<string>
  title: Generated<string>
  quantity: Generated<number>
  gross: bigint
  commission: bigint
  fees: Generated<bigint>
  net: bigint
  currency: string
  rule_id: string | null
  rule_version: bigint | null
  eligible_at: Date | null
  payout_id: string | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type VendorPayoutEarningsTable = { payout_id: string; earning_id: string }

export type Database = EventTables & {
  idempotency_keys: IdempotencyKeys
  vendors: VendorsTable
  vendor_members: VendorMembersTable
  vendor_status_history: VendorStatusHistoryTable
  vendor_kyc_docs: VendorKycDocsTable
  vendor_kyc_contents: VendorKycContentsTable
  vendor_bank_accounts: VendorBankAccountsTable
  commission_rule_sets: CommissionRuleSetsTable
  commission_rules: CommissionRulesTable
  vendor_order_sales: VendorOrderSalesTable
  vendor_payouts: VendorPayoutsTable
  vendor_earnings: VendorEarningsTable
  vendor_payout_earnings: VendorPayoutEarningsTable
}

export type VendorRow = Selectable<VendorsTable>
export type MemberRow = Selectable<VendorMembersTable>
export type KycDocRow = Selectable<VendorKycDocsTable>
export type BankAccountRow = Selectable<VendorBankAccountsTable>
export type SaleRow = Selectable<VendorOrderSalesTable>
export type PayoutRow = Selectable<VendorPayoutsTable>
export type EarningRow = Selectable<VendorEarningsTable>
