import { failedPrecondition, notFound } from '@haat/kit/errors'
import type { ExtendRequest, ExtendResponse } from '@haat/proto/inventory/v1/inventory'
import { sql } from 'kysely'
import type { InventoryContext } from '../context.ts'
import { findReservation, toReservation } from '../db/reservations.ts'

export async function extend(ctx: InventoryContext, request: ExtendRequest): Promise<ExtendResponse> {
  const until = new Date(ctx.now().getTime() + (request.ttlSeconds || ctx.defaultTtlSeconds) * 1000)
  const rows = await ctx.db
    .updateTable('reservations')
    .set({ expires_at: sql<Date>`greatest(expires_at, ${until}::timestamptz)`, updated_at: ctx.now() })
    .where('order_id', '=', request.orderId)
    .where('state', '=', 'held')
    .returningAll()
    .execute()
  if (rows.length) return { reservation: toReservation(rows) }
  const [standing] = await findReservation(ctx.db, request.orderId)
  if (!standing) throw notFound('reservation_not_found', 'this order holds nothing')
  if (standing.state === 'committed')
    throw failedPrecondition('reservation_committed', 'the reservation is a sale already')
  throw failedPrecondition('reservation_expired', 'the reservation is no longer held; reserve again')
}
