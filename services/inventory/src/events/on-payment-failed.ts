import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import { ReleaseReason } from '@haat/proto/inventory/v1/inventory'
import type { PaymentFailed } from '@haat/proto/payment/v1/events'
import type { InventoryContext } from '../context.ts'
import { releaseReservation } from '../db/reservations.ts'
import type { Database } from '../db/schema.ts'

/** A payment that can never succeed frees the goods; after a declined card the customer may still try again. */
export async function onPaymentFailed(
  _ctx: InventoryContext,
  event: Event<PaymentFailed>,
  tx: Transaction<Database>,
): Promise<void> {
  if (event.data.final) await releaseReservation(tx, event.data.orderId, 'released', ReleaseReason.PAYMENT_FAILED)
}
