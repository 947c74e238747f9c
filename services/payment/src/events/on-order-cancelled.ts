import type { Event } from '@haat/kit/events/envelope'
import type { OrderCancelled } from '@haat/proto/order/v1/events'
import type { PaymentContext } from '../context.ts'
import { ProviderFailure } from '../provider/provider.ts'
import { voidPayment } from '../steps/void-payment.ts'

/** Closes what is unpaid; money that has moved is given back by the order's refunds, never here. */
export async function onOrderCancelled(ctx: PaymentContext, event: Event<OrderCancelled>): Promise<void> {
  try {
    await voidPayment(ctx, event.data.orderId)
  } catch (error) {
    // The wish is recorded: the job goes on asking longer than a queue would.
    if (!(error instanceof ProviderFailure)) throw error
  }
}
