import { job } from '@haat/kit/jobs'
import type { PaymentContext } from '../context.ts'
import { claimDue } from '../db/claim.ts'
import type { PayoutRow } from '../db/payouts.ts'
import { submitPayout } from '../steps/submit-payout.ts'

/** Drives accepted payouts until the provider has sent or refused them. */
export const drivePayouts = job<PaymentContext>('drive-payouts', {
  everySeconds: 10,
  async run(ctx, call) {
    for (const payout of await claimDue<PayoutRow>(ctx.db, 'payouts', ctx.now())) {
      if (call.signal.aborted) return
      await submitPayout(ctx, payout).catch((err) => call.log.error({ err, payoutId: payout.id }, 'payout not driven'))
    }
  },
})
