import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { PayoutProcessed } from '@haat/proto/payment/v1/events'
import type { VendorContext } from '../context.ts'
import { bookMovement, lockPayout } from '../db/payouts.ts'
import type { Database } from '../db/schema.ts'

/**
 * The money has left: the payout's earnings are paid. Not after payout.failed, which is payment's last word and may overtake
 * this event. What contradicts our books goes to the dead letters, for a person to look at.
 */
export async function onPayoutProcessed(
  ctx: VendorContext,
  event: Event<PayoutProcessed>,
  tx: Transaction<Database>,
): Promise<void> {
  const { payoutId, amount, externalRef, processedAt } = event.data
  const payout = await lockPayout(tx, payoutId)
  if (!payout) throw new Error(`payout ${payoutId} is not known here`)
  if (payout.status === 'paid' || payout.status === 'failed') return
  if (payout.status !== 'processing') throw new Error(`payout ${payoutId} was paid although it is ${payout.status}`)
  if (amount?.minor !== payout.amount || amount.currency !== payout.currency)
    throw new Error(`payout ${payoutId} was paid with another amount`)
  const now = ctx.now()
  await tx
    .updateTable('vendor_payouts')
    .set({ status: 'paid', external_ref: externalRef, paid_at: processedAt ?? now, updated_at: now })
    .where('id', '=', payoutId)
    .execute()
  await tx
    .updateTable('vendor_earnings')
    .set({ status: 'paid', updated_at: now })
    .where('payout_id', '=', payoutId)
    .execute()
  await bookMovement(tx, payout, 'payout')
}
