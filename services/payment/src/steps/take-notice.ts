import { emit } from '@haat/kit/events/emit'
import { sql, type Transaction } from '@haat/kit/postgres'
import { PaymentDisputed } from '@haat/proto/payment/v1/events'
import type { PaymentContext } from '../context.ts'
import { feeOf, post } from '../db/ledger.ts'
import { findPaymentOfIntent, intentEventFields, isUuid, type PaymentRow } from '../db/payments.ts'
import type { Database, LedgerKind } from '../db/schema.ts'
import { suspenseEntries } from '../domain/postings.ts'
import type { Movement, Notice } from '../provider/provider.ts'
import { settleIntent } from './settle-intent.ts'
import { settlePayout } from './settle-payout.ts'
import { settleRefund } from './settle-refund.ts'

/**
 * Asks the provider for the state of what a notification is about and follows it; false when it is none of our business.
 * Since only the present state counts, notifications may come late, twice and in any order.
 */
export async function takeNotice(ctx: PaymentContext, { kind, id }: Notice['subject']): Promise<boolean> {
  switch (kind) {
    case 'intent':
      return takeIntent(ctx, id)
    case 'refund':
      return takeRefund(ctx, id)
    case 'dispute':
      return takeDispute(ctx, id)
    case 'transfer':
      return takeTransfer(ctx, id)
    case 'other':
      return false
  }
}

async function takeIntent(ctx: PaymentContext, id: string): Promise<boolean> {
  const intent = await ctx.provider.getIntent(id)
  const payment = intent && (await findPaymentOfIntent(ctx.db, intent))
  if (!payment) return false
  const settled = await settleIntent(ctx, payment.id, intent)
  if (settled.intent_id === intent.id) return true
  // Left over from an attempt whose answer was lost. Nobody knows its secret, so it is closed; money in it is not ours.
  if (intent.status === 'waiting') await ctx.provider.cancelIntent({ intentId: intent.id, generation: 0 })
  const { movement } = intent
  if (movement) await ctx.db.transaction().execute((tx) => suspend(tx, 'adjustment', settled, movement))
  return true
}

async function takeRefund(ctx: PaymentContext, id: string): Promise<boolean> {
  const refund = await ctx.provider.getRefund(id)
  if (!refund) return false
  const payment = await findPaymentOfIntent(ctx.db, { id: refund.intentId })
  if (!payment) return false
  const own = isUuid(refund.refundId)
    ? await ctx.db
        .selectFrom('refunds')
        .select('id')
        .where('id', '=', refund.refundId)
        .where('payment_id', '=', payment.id)
        .executeTakeFirst()
    : undefined
  if (own) await settleRefund(ctx, own.id, refund)
  else
    await ctx.db.transaction().execute(async (tx) => {
      for (const movement of refund.movements) await suspend(tx, 'adjustment', payment, movement)
    })
  return true
}

async function takeDispute(ctx: PaymentContext, id: string): Promise<boolean> {
  const dispute = await ctx.provider.getDispute(id)
  const payment = dispute && (await findPaymentOfIntent(ctx.db, { id: dispute.intentId }))
  if (!payment) return false
  await ctx.db.transaction().execute(async (tx) => {
    const { minor: amount, currency } = dispute.amount
    const { reason, status } = dispute
    const isNew = await tx
      .insertInto('chargebacks')
      .values({ external_ref: dispute.id, payment_id: payment.id, amount, currency, reason, status })
      .onConflict((c) => c.doNothing())
      .returning('external_ref')
      .executeTakeFirst()
    await tx
      .updateTable('chargebacks')
      .set({ status, amount, updated_at: sql`now()` })
      .where('external_ref', '=', dispute.id)
      .execute()
    for (const movement of dispute.movements) await suspend(tx, 'chargeback', payment, movement)
    if (isNew)
      await emit(tx, PaymentDisputed, {
        ...intentEventFields(payment),
        externalRef: dispute.id,
        amount: dispute.amount,
        reasonCode: reason,
        disputedAt: dispute.openedAt,
      })
  })
  return true
}

async function takeTransfer(ctx: PaymentContext, id: string): Promise<boolean> {
  const transfer = await ctx.provider.getTransfer(id)
  if (!isUuid(transfer?.payoutId)) return false
  const payout = await ctx.db.selectFrom('payouts').select('id').where('id', '=', transfer.payoutId).executeTakeFirst()
  if (payout) await settlePayout(ctx, payout.id, transfer)
  return payout !== undefined
}

/** Money that moved at the provider without our asking: in the books at once, in suspense until a person explains it. */
async function suspend(
  tx: Transaction<Database>,
  kind: LedgerKind,
  payment: PaymentRow,
  movement: Movement,
): Promise<void> {
  const { provider, id: reference, order_id: orderId } = payment
  const entries = suspenseEntries(provider, movement.amount.currency, movement.amount.minor)
  const moved = { kind, key: `movement:${movement.id}`, reference, orderId, entries }
  await post(tx, moved, feeOf(movement, { provider, reference, orderId }))
}
