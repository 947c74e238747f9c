import { enumNames } from '@haat/kit/enum'
import { type Selectable, sql, type Transaction } from '@haat/kit/postgres'
import type { Money } from '@haat/money/money'
import {
  type Payment,
  PaymentProvider,
  PaymentStatus,
  type RefundRecord,
  RefundStatus,
} from '@haat/proto/payment/v1/payment'
import type { Kysely } from 'kysely'
import { isOpen } from '../domain/settlement.ts'
import type { Database, PaymentRow as PaymentTable, RefundRow as RefundTable } from './schema.ts'

export type PaymentRow = Selectable<PaymentTable>
export type RefundRow = Selectable<RefundTable>

export const paymentStatus = enumNames(PaymentStatus)
export const paymentProvider = enumNames(PaymentProvider)

export const amountOf = (row: { amount: bigint; currency: string }): Money => ({
  currency: row.currency,
  minor: row.amount,
})

/** What happens first for an order, a payment or a void, is decided by this lock: neither has a row the other could hold. */
export const lockOrder = (tx: Transaction<Database>, orderId: string) =>
  sql`select pg_advisory_xact_lock(hashtextextended(${orderId}, 0))`.execute(tx)

export const lockPayment = (tx: Transaction<Database>, id: string): Promise<PaymentRow> =>
  tx.selectFrom('payments').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow()

export const findPaymentOfOrder = (db: Kysely<Database>, orderId: string): Promise<PaymentRow | undefined> =>
  db.selectFrom('payments').selectAll().where('order_id', '=', orderId).executeTakeFirst()

export const getPaymentRow = (db: Kysely<Database>, id: string): Promise<PaymentRow> =>
  db.selectFrom('payments').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Notes at the provider can be edited by people: what is no id names nothing of ours. */
export const isUuid = (value: string | undefined): value is string => value !== undefined && uuid.test(value)

/** The payment of a provider's intent, by either's note of the other. */
export async function findPaymentOfIntent(
  db: Kysely<Database>,
  intent: { id: string; paymentId?: string | undefined },
): Promise<PaymentRow | undefined> {
  const known = await db.selectFrom('payments').selectAll().where('intent_id', '=', intent.id).executeTakeFirst()
  if (known || !isUuid(intent.paymentId)) return known
  return db.selectFrom('payments').selectAll().where('id', '=', intent.paymentId).executeTakeFirst()
}

export async function updatePayment(
  tx: Kysely<Database>,
  id: string,
  changes: Partial<Omit<PaymentRow, 'id' | 'allocations' | 'raw_json'>> & { raw_json?: string },
): Promise<PaymentRow> {
  return tx
    .updateTable('payments')
    .set({ ...changes, updated_at: sql`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export const listRefunds = (db: Kysely<Database>, paymentIds: readonly string[]): Promise<RefundRow[]> =>
  paymentIds.length === 0
    ? Promise.resolve([])
    : db
        .selectFrom('refunds')
        .selectAll()
        .where('payment_id', 'in', paymentIds)
        .orderBy('created_at')
        .orderBy('id')
        .execute()

const refundStatus = {
  requested: RefundStatus.PENDING,
  submitted: RefundStatus.PENDING,
  succeeded: RefundStatus.SUCCEEDED,
  failed: RefundStatus.FAILED,
} as const

export const toRefundRecord = (row: RefundRow): RefundRecord => ({
  id: row.id,
  paymentId: row.payment_id,
  orderId: row.order_id,
  amount: amountOf(row),
  status: refundStatus[row.status],
  reason: row.reason,
  externalRef: row.external_ref ?? '',
  createdAt: row.created_at,
  completedAt: row.completed_at ?? undefined,
})

export const toPayment = (row: PaymentRow, refunds: readonly RefundRow[]): Payment => ({
  id: row.id,
  orderId: row.order_id,
  orderNo: row.order_no,
  userId: row.user_id,
  provider: paymentProvider.fromName(row.provider),
  intentId: row.intent_id ?? '',
  status: paymentStatus.fromName(row.status),
  amount: amountOf(row),
  refunded: { currency: row.currency, minor: row.refunded_amount },
  failureCode: row.failure_code,
  refunds: refunds.filter((refund) => refund.payment_id === row.id).map(toRefundRecord),
  createdAt: row.created_at,
  paidAt: row.paid_at ?? undefined,
  updatedAt: row.updated_at,
})

export async function toPaymentWithRefunds(db: Kysely<Database>, row: PaymentRow): Promise<Payment> {
  return toPayment(row, isOpen(row.status) ? [] : await listRefunds(db, [row.id]))
}

/** What every event about a payment says of it. */
export const eventFields = (row: PaymentRow) => ({
  paymentId: row.id,
  orderId: row.order_id,
  orderNo: row.order_no,
  userId: row.user_id,
})

export const intentEventFields = (row: PaymentRow) => ({
  ...eventFields(row),
  provider: paymentProvider.fromName(row.provider),
  intentId: row.intent_id ?? '',
  amount: amountOf(row),
})
