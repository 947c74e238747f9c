import { failedPrecondition } from '@haat/kit/errors'
import type { ReleaseRequest, ReleaseResponse } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { findReservation, releaseReservation, toReservation } from '../db/reservations.ts'

export async function release(ctx: InventoryContext, request: ReleaseRequest): Promise<ReleaseResponse> {
  await ctx.db.transaction().execute((tx) => releaseReservation(tx, request.orderId, 'released', request.reason))
  const standing = await findReservation(ctx.db, request.orderId)
  if (standing[0]?.state === 'committed')
    throw failedPrecondition('reservation_committed', 'the reservation is a sale already')
  return standing.length ? { reservation: toReservation(standing) } : {}
}
