import type { VoidOutcome } from '@haat/proto/payment/v1/payment'
import { VoidOutcome as Outcome } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { lockOrder, type PaymentRow, updatePayment } from '../db/payments.ts'
import { nextAttempt } from '../domain/back-off.ts'
import { isClosed, isOpen, isSettled } from '../domain/settlement.ts'
import { ProviderFailure } from '../provider/provider.ts'
import { closeUnpaid, settleIntent } from './settle-intent.ts'

const FIRST_RETRY_SECONDS = 30

export type Voided = { outcome: VoidOutcome; payment: PaymentRow | undefined }

/**
 * Closes the unpaid payment of an order. The wish is recorded first, so that a job carries it out when the provider does not
 * answer now; then the provider decides whether the customer was faster. Throws ProviderFailure.
 */
export async function voidPayment(ctx: PaymentContext, orderId: string): Promise<Voided> {
  const payment = await recordVoid(ctx, orderId)
  return payment && isOpen(payment.status) ? cancelAtProvider(ctx, payment) : outcomeOf(payment)
}

/** Carries out a void that is recorded. */
export async function cancelAtProvider(ctx: PaymentContext, payment: PaymentRow): Promise<Voided> {
  try {
    const intent = await ctx.provider.cancelIntent({ intentId: payment.intent_id!, generation: payment.key_generation })
    if (!intent) throw new ProviderFailure('unavailable', 'intent_missing')
    const settled = await settleIntent(ctx, payment.id, intent)
    // The bank is still deciding and the provider cannot call it back: the job asks again.
    if (isOpen(settled.status)) throw new ProviderFailure('unavailable', 'processing')
    return outcomeOf(settled)
  } catch (error) {
    if (error instanceof ProviderFailure && error.isKeySpent)
      await ctx.db
        .updateTable('payments')
        .set({ key_generation: payment.key_generation + 1 })
        .where('id', '=', payment.id)
        .where('key_generation', '=', payment.key_generation)
        .execute()
    throw error
  }
}

function recordVoid(ctx: PaymentContext, orderId: string): Promise<PaymentRow | undefined> {
  return ctx.db.transaction().execute(async (tx) => {
    await lockOrder(tx, orderId)
    const payment = await tx
      .selectFrom('payments')
      .selectAll()
      .where('order_id', '=', orderId)
      .forUpdate()
      .executeTakeFirst()
    if (!payment) {
      await tx
        .insertInto('voided_orders')
        .values({ order_id: orderId })
        .onConflict((c) => c.doNothing())
        .execute()
      return undefined
    }
    // Not at the provider, or nobody was told its secret: there is nothing a customer could pay.
    if (payment.status === 'creating') return closeUnpaid(ctx, tx, payment, 'voided', 'voided')
    if (!isOpen(payment.status) || payment.void_requested_at) return payment
    const next_check_at = nextAttempt(ctx.now(), 1, FIRST_RETRY_SECONDS)
    return updatePayment(tx, payment.id, { void_requested_at: ctx.now(), next_check_at, checks: 0 })
  })
}

/** Money under review has failed for the order: it is a person's business, not the order's. */
function outcomeOf(payment: PaymentRow | undefined): Voided {
  if (!payment) return { outcome: Outcome.NOTHING_TO_VOID, payment }
  if (!isSettled(payment.status) && !isClosed(payment.status))
    throw new Error(`payment ${payment.id} is neither closed nor paid: ${payment.status}`)
  const isPaid = isSettled(payment.status) && payment.status !== 'under_review'
  return { outcome: isPaid ? Outcome.ALREADY_PAID : Outcome.VOIDED, payment }
}
