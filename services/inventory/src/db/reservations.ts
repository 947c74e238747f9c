import { enumNames } from '@haat/kit/enum'
import { failedPrecondition } from '@haat/kit/errors'
import { eventNow } from '@haat/kit/events/emit'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import { InventoryCommitted, InventoryReleased } from '@haat/proto/inventory/v1/events'
import { type ReleaseReason, type Reservation, ReservationState } from '@haat/proto/inventory/v1/inventory'
import type { Kysely } from 'kysely'
import type { Database, ReservationRow } from './schema.ts'
import { changeStock, insertMovements } from './stock.ts'

export const reservationState = enumNames(ReservationState)

export type Reserved = Selectable<ReservationRow>

/** An order's reservation rows by SKU; all have the same state. */
export const findReservation = (db: Kysely<Database>, orderId: string): Promise<Reserved[]> =>
  db.selectFrom('reservations').selectAll().where('order_id', '=', orderId).orderBy('sku').execute()

export function toReservation(rows: Reserved[]): Reservation {
  const first = rows[0]!
  return {
    orderId: first.order_id,
    state: reservationState.fromName(first.state),
    lines: rows.map(({ sku, qty }) => ({ sku, qty })),
    expiresAt: first.expires_at,
  }
}

/** Moves an order's held rows to another state; empty when none was held. */
const leaveHeld = (
  tx: Transaction<Database>,
  orderId: string,
  state: 'committed' | 'released' | 'expired',
): Promise<Reserved[]> =>
  tx
    .updateTable('reservations')
    .set({ state, updated_at: new Date() })
    .where('order_id', '=', orderId)
    .where('state', '=', 'held')
    .returningAll()
    .execute()

/**
 * Turns what an order holds into a sale. Answers the rows as they stand, empty when the order never reserved.
 * FAILED_PRECONDITION `reservation_expired` when the lease was given back.
 */
export async function commitReservation(tx: Transaction<Database>, orderId: string): Promise<Reserved[]> {
  const rows = await leaveHeld(tx, orderId, 'committed')
  if (rows.length === 0) {
    const standing = await findReservation(tx, orderId)
    if (standing[0] && standing[0].state !== 'committed')
      throw failedPrecondition('reservation_expired', 'the reservation is no longer held; reserve again')
    return standing
  }
  const lines = rows.map(({ sku, qty }) => ({ sku, qty }))
  const after = await changeStock(
    tx,
    lines.map(({ sku, qty }) => ({ sku, onHand: -qty, reserved: -qty })),
    [eventNow(InventoryCommitted, { orderId, lines })],
  )
  const qtyOf = new Map(rows.map((row) => [row.sku, row.qty]))
  await insertMovements(
    tx,
    after.map((row) => ({ row, kind: 'sale', delta: -qtyOf.get(row.sku)!, reference: orderId })),
  )
  return rows
}

/** Gives back what an order holds, if anything; answers the rows that were held. */
export async function releaseReservation(
  tx: Transaction<Database>,
  orderId: string,
  state: 'released' | 'expired',
  reason: ReleaseReason,
): Promise<Reserved[]> {
  const rows = await leaveHeld(tx, orderId, state)
  if (rows.length === 0) return []
  const lines = rows.map(({ sku, qty }) => ({ sku, qty }))
  await changeStock(
    tx,
    lines.map(({ sku, qty }) => ({ sku, reserved: -qty })),
    [eventNow(InventoryReleased, { orderId, lines, reason })],
  )
  return rows
}
