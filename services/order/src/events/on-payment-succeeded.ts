import { notFound } from '@haat/kit/errors'
import type { Event } from '@haat/kit/events/envelope'
import type { PaymentSucceeded } from '@haat/proto/payment/v1/events'
import { settle } from '../checkout/settle.ts'
import type { OrderContext } from '../context.ts'

/** The customer has paid: the order goes on, or all of the money goes back. */
export async function onPaymentSucceeded(ctx: OrderContext, event: Event<PaymentSucceeded>): Promise<void> {
  const { orderId, intentId, amount, paidAt } = event.data
  const order = await ctx.db
    .selectFrom('orders')
    .select(['total', 'currency'])
    .where('id', '=', orderId)
    .executeTakeFirst()
  // Money that no order explains ends in the dead letters, before a person.
  if (!order) throw notFound('order_not_found', 'a payment of no known order')
  if (amount?.minor !== order.total || amount.currency !== order.currency)
    throw new Error('a payment of another amount than the order')
  await settle(ctx, orderId, { intentId, paidAt: paidAt ?? new Date(event.envelope.occurredAt) })
}
