import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { PaymentFailed } from '@haat/proto/payment/v1/events'
import type { PromotionContext } from '../context.ts'
import type { Database } from '../db/schema.ts'
import { releaseUsages } from '../db/usages.ts'

/** A payment that can never succeed gives held coupons back; what another event redeemed meanwhile stays. */
export async function onPaymentFailed(
  ctx: PromotionContext,
  event: Event<PaymentFailed>,
  tx: Transaction<Database>,
): Promise<void> {
  if (event.data.final) await releaseUsages(tx, event.data.orderId, ctx.now(), { from: ['held'] })
}
