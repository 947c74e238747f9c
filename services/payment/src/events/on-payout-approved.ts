import type { Event } from '@haat/kit/events/envelope'
import type { PayoutApproved } from '@haat/proto/vendor/v1/events'
import type { PaymentContext } from '../context.ts'
import { acceptPayout } from '../steps/accept-payout.ts'
import { submitPayout } from '../steps/submit-payout.ts'

/** Sends an approved payout; what the provider does not answer now is driven on by the job. */
export async function onPayoutApproved(ctx: PaymentContext, event: Event<PayoutApproved>): Promise<void> {
  const { payoutId, vendorId, amount, bankCountry } = event.data
  const order = { payoutId, vendorId, amount: amount!, destination: '', country: bankCountry || ctx.accountCountry }
  const accepted = await acceptPayout(ctx, order, { failWhenShort: true })
  if ('row' in accepted && accepted.isNew && accepted.row.status === 'processing') await submitPayout(ctx, accepted.row)
}
