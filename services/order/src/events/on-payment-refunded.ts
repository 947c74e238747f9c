import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { PaymentRefunded } from '@haat/proto/payment/v1/events'
import type { OrderContext } from '../context.ts'
import { countRefund } from '../db/changes.ts'
import { lockSale } from '../db/sales.ts'
import type { Database } from '../db/schema.ts'
import { addTimeline } from '../db/timeline.ts'

/** The provider has paid a refund: one of ours is done, one that staff made at payment is counted. */
export async function onPaymentRefunded(
  ctx: OrderContext,
  event: Event<PaymentRefunded>,
  tx: Transaction<Database>,
): Promise<void> {
  const { orderId, refundId, amount, reason, full } = event.data
  const at = event.data.refundedAt ?? new Date(event.envelope.occurredAt)
  const ours = await tx
    .updateTable('refunds')
    .set({ state: 'paid', paid_at: at })
    .where('id', '=', refundId)
    .executeTakeFirst()
  if (ours.numUpdatedRows > 0n || !amount) return
  const known = await tx.selectFrom('orders').select('id').where('id', '=', orderId).executeTakeFirst()
  if (!known) return
  const sale = await lockSale(tx, orderId)
  await tx
    .insertInto('refunds')
    .values({
      id: refundId,
      order_id: orderId,
      kind: 'payment',
      amount: amount.minor,
      currency: amount.currency,
      reason,
      state: 'paid',
      restock: 'none',
      next_attempt_at: at,
      created_at: at,
      paid_at: at,
    })
    .execute()
  await countRefund(tx, sale, amount.minor, full, ctx.now())
  await addTimeline(tx, { orderId, event: 'refunded', at, note: reason })
}
