import { job } from '@haat/kit/jobs'
import type { PaymentContext } from '../context.ts'
import { claimDue } from '../db/claim.ts'
import type { RefundRow } from '../db/payments.ts'
import { submitRefund } from '../steps/submit-refund.ts'

/** Drives accepted refunds until the provider has paid or refused them. */
export const driveRefunds = job<PaymentContext>('drive-refunds', {
  everySeconds: 10,
  async run(ctx, call) {
    for (const refund of await claimDue<RefundRow>(ctx.db, 'refunds', ctx.now())) {
      if (call.signal.aborted) return
      await submitRefund(ctx, refund).catch((err) => call.log.error({ err, refundId: refund.id }, 'refund not driven'))
    }
  },
})
