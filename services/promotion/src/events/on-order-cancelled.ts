import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { OrderCancelled } from '@haat/proto/order/v1/events'
import type { PromotionContext } from '../context.ts'
import type { Database } from '../db/schema.ts'
import { releaseUsages } from '../db/usages.ts'

/** Gives the order's coupons back, unless a later payment has come in first. */
export async function onOrderCancelled(
  ctx: PromotionContext,
  event: Event<OrderCancelled>,
  tx: Transaction<Database>,
): Promise<void> {
  const sequence = BigInt(event.envelope.aggregate.sequence)
  await releaseUsages(tx, event.data.orderId, ctx.now(), { from: ['held', 'redeemed'], sequence })
}
