import type { PaymentSession } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { amountOf, getPaymentRow, type PaymentRow, paymentProvider, updatePayment } from '../db/payments.ts'
import { isOpen } from '../domain/settlement.ts'
import { ProviderFailure, type ProviderIntent } from '../provider/provider.ts'
import { settleIntent } from './settle-intent.ts'

export type Opened = { payment: PaymentRow; session: PaymentSession | undefined }

/**
 * Brings a recorded payment to the provider, or finds it there, and answers what the browser needs while it can be paid. A
 * repeat reaches the same intent. Throws ProviderFailure.
 */
export async function openIntent(ctx: PaymentContext, payment: PaymentRow): Promise<Opened> {
  if (payment.status !== 'creating')
    return isOpen(payment.status) ? resume(ctx, payment) : { payment, session: undefined }
  const intent = await createIntent(ctx, payment)
  const settled = await settleIntent(ctx, payment.id, intent)
  if (settled.intent_id === intent.id) return { payment: settled, session: sessionOf(ctx, settled, intent) }
  // Voided meanwhile, or another attempt won: nobody may pay this one.
  await ctx.provider.cancelIntent({ intentId: intent.id, generation: 0 })
  return isOpen(settled.status) ? resume(ctx, settled) : { payment: settled, session: undefined }
}

/** What the provider knows of an open payment, and the session to go on paying it. */
async function resume(ctx: PaymentContext, payment: PaymentRow): Promise<Opened> {
  const intent = await ctx.provider.getIntent(payment.intent_id!)
  if (!intent) throw new ProviderFailure('unavailable', 'intent_missing')
  const settled = await settleIntent(ctx, payment.id, intent)
  return { payment: settled, session: sessionOf(ctx, settled, intent) }
}

async function createIntent(ctx: PaymentContext, payment: PaymentRow): Promise<ProviderIntent> {
  const { id: paymentId, order_id: orderId, order_no: orderNo, key_generation: generation } = payment
  try {
    return await ctx.provider.createIntent({ paymentId, orderId, orderNo, amount: amountOf(payment), generation })
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    if (error.isKeySpent) await spendKey(ctx, payment)
    if (error.isRejection) await refuse(ctx, payment, error.reason)
    throw error
  }
}

/** The next attempt uses another key. An intent that a failed attempt may have left is never shown to anybody. */
const spendKey = (ctx: PaymentContext, payment: PaymentRow) =>
  ctx.db
    .updateTable('payments')
    .set({ key_generation: payment.key_generation + 1 })
    .where('id', '=', payment.id)
    .where('key_generation', '=', payment.key_generation)
    .execute()

/** The provider wants no such payment; the caller learns it from the error, now and whenever it asks again. */
async function refuse(ctx: PaymentContext, payment: PaymentRow, reason: string): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('payments')
      .select('id')
      .where('id', '=', payment.id)
      .where('status', '=', 'creating')
      .forUpdate()
      .executeTakeFirst()
    if (row) await updatePayment(tx, row.id, { status: 'failed', failure_code: reason })
  })
}

export function sessionOf(
  ctx: PaymentContext,
  payment: PaymentRow,
  intent: ProviderIntent,
): PaymentSession | undefined {
  if (!isOpen(payment.status) || payment.void_requested_at) return undefined
  return {
    provider: paymentProvider.fromName(payment.provider),
    intentId: intent.id,
    clientSecret: intent.clientSecret,
    publishableKey: ctx.provider.publishableKey,
  }
}

/** Asks the provider about a payment and follows the answer. */
export async function refreshPayment(ctx: PaymentContext, payment: PaymentRow): Promise<PaymentRow> {
  if (!payment.intent_id) return payment
  const intent = await ctx.provider.getIntent(payment.intent_id)
  return intent ? settleIntent(ctx, payment.id, intent) : getPaymentRow(ctx.db, payment.id)
}
