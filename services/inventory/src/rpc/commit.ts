import { notFound } from '@haat/kit/errors'
import type { CommitRequest, CommitResponse } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { commitReservation, toReservation } from '../db/reservations.ts'

export async function commit(ctx: InventoryContext, request: CommitRequest): Promise<CommitResponse> {
  const rows = await ctx.db.transaction().execute((tx) => commitReservation(tx, request.orderId))
  if (rows.length === 0) throw notFound('reservation_not_found', 'this order holds nothing')
  return { reservation: toReservation(rows) }
}
