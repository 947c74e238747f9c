import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { OrderPaid } from '@haat/proto/order/v1/events'
import type { InventoryContext } from '../context.ts'
import { commitReservation } from '../db/reservations.ts'
import type { Database } from '../db/schema.ts'

/** The sale is final: what the order holds leaves the shelf (order usually has committed it already). */
export async function onOrderPaid(
  _ctx: InventoryContext,
  event: Event<OrderPaid>,
  tx: Transaction<Database>,
): Promise<void> {
  await commitReservation(tx, event.data.orderId)
}
