import { decodeCursor } from '@haat/kit/page'
import { OrderStatus } from '@haat/proto/order/v1/order'
import type { Kysely } from 'kysely'
import { orderStatus } from './messages.ts'
import type { Database } from './schema.ts'

/** A person's placed orders, newest first, beginning where the page does; one more than fit on it. */
export function ownOrders(
  db: Kysely<Database>,
  of: { userId: string; status: OrderStatus; pageToken: string; size: number },
) {
  const after = decodeCursor(of.pageToken, 1)
  let query = db
    .selectFrom('orders')
    .where('user_id', '=', of.userId)
    .where('placed_at', 'is not', null)
    .orderBy('id', 'desc')
    .limit(of.size + 1)
  if (of.status !== OrderStatus.UNSPECIFIED) query = query.where('status', '=', orderStatus.toName(of.status))
  return after ? query.where('id', '<', String(after[0])) : query
}
