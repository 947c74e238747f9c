import { job } from '@haat/kit/jobs'
import type { PaymentContext } from '../context.ts'
import { claimDue } from '../db/claim.ts'
import type { PaymentRow } from '../db/payments.ts'
import { nextAttempt } from '../domain/back-off.ts'
import { isOpen } from '../domain/settlement.ts'
import { refreshPayment } from '../steps/open-intent.ts'
import { cancelAtProvider } from '../steps/void-payment.ts'

/**
 * Asks the provider about payments that have waited too long for a notification, ever more rarely, carries out voids that it
 * did not answer, and collects fees it had not booked yet.
 */
export const reconcileIntents = job<PaymentContext>('reconcile-intents', {
  everySeconds: 20,
  async run(ctx, call) {
    for (const payment of await claimDue<PaymentRow>(ctx.db, 'payments', ctx.now())) {
      if (call.signal.aborted) return
      const isToVoid = isOpen(payment.status) && payment.void_requested_at !== null
      const asked = isToVoid ? cancelAtProvider(ctx, payment) : refreshPayment(ctx, payment)
      await asked.catch((err) => call.log.warn({ err, paymentId: payment.id }, 'payment not reconciled'))
      await ctx.db
        .updateTable('payments')
        .set({ next_check_at: nextAttempt(ctx.now(), payment.checks, ctx.reconcileAfterSeconds) })
        .where('id', '=', payment.id)
        .where('next_check_at', 'is not', null)
        .execute()
    }
  },
})
