import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { PayoutFailed } from '@haat/proto/payment/v1/events'
import type { VendorContext } from '../context.ts'
import { bookMovement, freeEarnings, lockPayout } from '../db/payouts.ts'
import type { Database } from '../db/schema.ts'

/** The money did not leave, or came back from the bank: the earnings wait for another payout. */
export async function onPayoutFailed(
  ctx: VendorContext,
  event: Event<PayoutFailed>,
  tx: Transaction<Database>,
): Promise<void> {
  const { payoutId, reasonCode } = event.data
  const payout = await lockPayout(tx, payoutId)
  if (!payout) throw new Error(`payout ${payoutId} is not known here`)
  if (payout.status !== 'processing' && payout.status !== 'paid') return
  await tx
    .updateTable('vendor_payouts')
    .set({ status: 'failed', reason: reasonCode, updated_at: ctx.now() })
    .where('id', '=', payoutId)
    .execute()
  await freeEarnings(tx, payoutId)
  if (payout.status === 'paid') await bookMovement(tx, payout, 'adjustment')
}
