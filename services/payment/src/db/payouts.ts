import type { Selectable } from '@haat/kit/postgres'
import { type PayoutRecord, PayoutStatus } from '@haat/proto/payment/v1/payment'
import { amountOf } from './payments.ts'
import type { PayoutRow as PayoutTable } from './schema.ts'

export type PayoutRow = Selectable<PayoutTable>

const payoutStatus = {
  processing: PayoutStatus.PROCESSING,
  paid: PayoutStatus.PAID,
  failed: PayoutStatus.FAILED,
} as const

export const toPayoutRecord = (row: PayoutRow): PayoutRecord => ({
  id: row.id,
  vendorId: row.vendor_id,
  amount: amountOf(row),
  status: payoutStatus[row.status],
  method: row.method,
  externalRef: row.external_ref ?? '',
  failureCode: row.failure_code,
  createdAt: row.created_at,
  completedAt: row.completed_at ?? undefined,
})
