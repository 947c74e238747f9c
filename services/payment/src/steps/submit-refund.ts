import { sql } from '@haat/kit/postgres'
import type { PaymentContext } from '../context.ts'
import { amountOf, getPaymentRow, lockPayment, type RefundRow } from '../db/payments.ts'
import { nextAttempt } from '../domain/back-off.ts'
import { ProviderFailure, type ProviderRefund } from '../provider/provider.ts'
import { settleRefund } from './settle-refund.ts'

const FIRST_RETRY_SECONDS = 10
/** How long one attempt may take before the job may start another. */
export const ATTEMPT_LEASE_SECONDS = 60

/**
 * Makes one attempt at a refund its caller has claimed, and answers where it stands. A provider that does not answer is asked
 * again by the job; only a refusal for good ends the refund. `attempts` of the row counts this attempt.
 */
export async function submitRefund(ctx: PaymentContext, refund: RefundRow): Promise<RefundRow> {
  const payment = await getPaymentRow(ctx.db, refund.payment_id)
  try {
    return await settleRefund(ctx, refund.id, await reach(ctx, refund, payment.intent_id ?? ''))
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    return error.isRejection ? refuse(ctx, refund, error.reason) : postpone(ctx, refund, error.isKeySpent)
  }
}

async function reach(ctx: PaymentContext, refund: RefundRow, intentId: string): Promise<ProviderRefund> {
  const { id: refundId, key_generation: generation } = refund
  const find = () => ctx.provider.findRefund({ refundId, intentId })
  if (refund.external_ref) {
    const known = await ctx.provider.getRefund(refund.external_ref)
    if (!known) throw new ProviderFailure('unavailable', 'refund_missing')
    return known
  }
  // The provider forgets keys after a day, and keeps failures under them: an earlier attempt may have had its effect.
  const earlier = refund.attempts > 1 ? await find() : undefined
  if (earlier) return earlier
  try {
    return await ctx.provider.createRefund({ refundId, intentId, amount: amountOf(refund), generation })
  } catch (error) {
    const made = error instanceof ProviderFailure && error.isRejection ? await find() : undefined
    if (made) return made
    throw error
  }
}

/** Leaves the next attempt to the job, unless the refund was settled meanwhile. */
const postpone = (ctx: PaymentContext, refund: RefundRow, isKeySpent: boolean): Promise<RefundRow> =>
  ctx.db
    .updateTable('refunds')
    .set({
      key_generation: refund.key_generation + (isKeySpent ? 1 : 0),
      next_attempt_at: sql<Date>`case when next_attempt_at is null then null
        else ${nextAttempt(ctx.now(), refund.attempts, FIRST_RETRY_SECONDS)}::timestamptz end`,
      updated_at: sql<Date>`now()`,
    })
    .where('id', '=', refund.id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** The money set aside for it is refundable again. A refund that settled meanwhile stays as it is. */
const refuse = (ctx: PaymentContext, refund: RefundRow, reason: string): Promise<RefundRow> =>
  ctx.db.transaction().execute(async (tx) => {
    await lockPayment(tx, refund.payment_id)
    await tx
      .updateTable('refunds')
      .set({
        status: 'failed',
        failure_code: reason,
        next_attempt_at: null,
        completed_at: ctx.now(),
        updated_at: sql`now()`,
      })
      .where('id', '=', refund.id)
      .where('status', '=', 'requested')
      .execute()
    return tx.selectFrom('refunds').selectAll().where('id', '=', refund.id).executeTakeFirstOrThrow()
  })
