import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { OrderPaid } from '@haat/proto/order/v1/events'
import type { PromotionContext } from '../context.ts'
import type { Database } from '../db/schema.ts'
import { redeemUsages } from '../db/usages.ts'

/** Counts the order's coupons as used, unless a later cancellation has come in first. */
export async function onOrderPaid(
  ctx: PromotionContext,
  event: Event<OrderPaid>,
  tx: Transaction<Database>,
): Promise<void> {
  await redeemUsages(tx, event.data.orderId, ctx.now(), { sequence: BigInt(event.envelope.aggregate.sequence) })
}
