import type { Event } from '@haat/kit/events/envelope'
import type { PaymentFailed } from '@haat/proto/payment/v1/events'
import { cancelUnpaid } from '../checkout/cancel-unpaid.ts'
import { undo } from '../checkout/undo.ts'
import type { OrderContext } from '../context.ts'
import { lockSale } from '../db/sales.ts'
import { addTimeline } from '../db/timeline.ts'

/** A declined card is noted and leaves the order payable; a payment that can never succeed ends it. */
export async function onPaymentFailed(ctx: OrderContext, event: Event<PaymentFailed>): Promise<void> {
  const { orderId, final, reasonCode } = event.data
  const checkout = await ctx.db
    .selectFrom('checkouts')
    .select('state')
    .where('order_id', '=', orderId)
    .executeTakeFirst()
  if (!checkout) return
  if (!final) return noteAttempt(ctx, event)
  if (checkout.state === 'open') await undo(ctx, orderId, `payment_${reasonCode}`)
  else await cancelUnpaid(ctx, orderId, reasonCode === 'expired' ? 'payment_expired' : 'payment_failed')
}

/** One line of the timeline per failed attempt, however often the event comes. */
async function noteAttempt(ctx: OrderContext, { data, envelope }: Event<PaymentFailed>): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const { order } = await lockSale(tx, data.orderId)
    if (order.payment_status !== 'pending' || !order.placed_at) return
    const at = data.failedAt ?? new Date(envelope.occurredAt)
    const known = await tx
      .selectFrom('order_timeline')
      .select('id')
      .where('order_id', '=', order.id)
      .where('event', '=', 'payment_failed')
      .where('at', '=', at)
      .executeTakeFirst()
    if (!known) await addTimeline(tx, { orderId: order.id, event: 'payment_failed', at, note: data.reasonCode })
  })
}
