import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { OrderPaid } from '@haat/proto/order/v1/events'
import type { InventoryContext } from '../context.ts'
import { commitReservation, findReservation } from '../db/reservations.ts'
import type { Database } from '../db/schema.ts'

/** Whether anything is left to do: order has usually committed what it holds. */
export const isUncommitted = async (ctx: InventoryContext, event: Event<OrderPaid>): Promise<boolean> =>
  (await findReservation(ctx.db, event.data.orderId)).some(({ state }) => state !== 'committed')

/** The sale is final: what the order holds leaves the shelf. */
export async function onOrderPaid(
  _ctx: InventoryContext,
  event: Event<OrderPaid>,
  tx: Transaction<Database>,
): Promise<void> {
  await commitReservation(tx, event.data.orderId)
}
