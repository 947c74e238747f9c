import { AppError, conflict, failedPrecondition, invalid } from '@haat/kit/errors'
import { emitAll, eventNow } from '@haat/kit/events/emit'
import { type Transaction, violatedConstraint } from '@haat/kit/postgres'
import { InventoryReserved } from '@haat/proto/inventory/v1/events'
import type { ReserveRequest, ReserveResponse } from '@haat/proto/inventory/v1/inventory'
import { sql } from 'kysely'
import type { InventoryContext } from '../context.ts'
import { findReservation, type Reserved, toReservation } from '../db/reservations.ts'
import type { Database } from '../db/schema.ts'
import { levelEvents, type StockRow } from '../db/stock.ts'
import { duplicateSku, type Line, sameLines } from '../domain/stock.ts'

export async function reserve(ctx: InventoryContext, request: ReserveRequest): Promise<ReserveResponse> {
  const twice = duplicateSku(request.lines)
  if (twice) throw invalid('lines_duplicate', `${twice} occurs twice`, { sku: twice })

  const earlier = await findReservation(ctx.db, request.orderId)
  const standing = standingOf(earlier, request)
  if (standing) return standing
  const ttlSeconds = request.ttlSeconds || ctx.defaultTtlSeconds
  const expiresAt = new Date(ctx.now().getTime() + ttlSeconds * 1000)
  try {
    return await ctx.db.transaction().execute(async (tx) => {
      const { before, after } = await hold(tx, request.lines)
      // What an earlier attempt of this order gave back makes way for the new hold.
      if (earlier.length)
        await tx
          .deleteFrom('reservations')
          .where('order_id', '=', request.orderId)
          .where('state', 'in', ['released', 'expired'])
          .execute()
      const rows = await tx
        .insertInto('reservations')
        .values(
          request.lines.map(({ sku, qty }) => ({
            order_id: request.orderId,
            sku,
            qty,
            state: 'held' as const,
            expires_at: expiresAt,
          })),
        )
        .returningAll()
        .execute()
      const { orderId, lines } = request
      await emitAll(tx, [eventNow(InventoryReserved, { orderId, lines, expiresAt }), ...levelEvents(before, after)])
      return { reservation: toReservation(rows.sort((a, b) => (a.sku < b.sku ? -1 : 1))) }
    })
  } catch (error) {
    // The same order reserved at the same moment: its rows are there now.
    if (violatedConstraint(error) === 'reservations_pkey') return reserve(ctx, request)
    // Or it took the last of them: what is short is short because this order has it.
    const taken = error instanceof AppError && standingOf(await findReservation(ctx.db, request.orderId), request)
    if (taken) return taken
    throw error
  }
}

/** What the order holds or has bought already. */
function standingOf(rows: Reserved[], request: ReserveRequest): ReserveResponse | undefined {
  if (rows[0]?.state !== 'held' && rows[0]?.state !== 'committed') return undefined
  if (!sameLines(rows, request.lines)) throw conflict('reservation_mismatch', 'this order holds other lines')
  return { reservation: toReservation(rows) }
}

/**
 * Raises `reserved` of all lines or of none, in one conditional statement: the rows are locked in SKU order, then updated
 * only if every one of them has enough. FAILED_PRECONDITION `stock_insufficient` otherwise.
 */
async function hold(
  tx: Transaction<Database>,
  lines: readonly Line[],
): Promise<{ before: StockRow[]; after: StockRow[] }> {
  const wanted = sql`unnest(${lines.map((line) => line.sku)}::text[], ${lines.map((line) => line.qty)}::int[])`
  const { rows } = await sql<StockRow & { held: boolean; asked: number; asked_sku: string }>`
    with wanted as (
      select w.sku, w.qty from ${wanted} as w (sku, qty)
    ), locked as materialized (
      select i.* from inventory i join wanted w using (sku) order by i.sku for update of i
    ), short as (
      select w.sku from wanted w left join locked l using (sku)
       where coalesce(l.quantity_on_hand - l.quantity_reserved - l.safety_stock, -1) < w.qty
    ), updated as (
      update inventory i
         set quantity_reserved = i.quantity_reserved + w.qty, updated_at = now()
        from wanted w
       where i.sku = w.sku and i.sku in (select sku from locked) and not exists (select from short)
      returning i.sku
    )
    select l.*, w.sku as asked_sku, w.qty as asked, exists (select from updated) as held
      from wanted w left join locked l using (sku)`.execute(tx)
  if (!rows.every((row) => row.held)) throw insufficient(rows)
  const before = rows.map(({ held: _held, asked: _asked, asked_sku: _sku, ...row }) => row)
  const after = rows.map(({ held: _held, asked, asked_sku: _sku, ...row }) => ({
    ...row,
    quantity_reserved: row.quantity_reserved + asked,
  }))
  return { before, after }
}

function insufficient(rows: (Partial<StockRow> & { asked: number; asked_sku: string })[]): AppError {
  const free = (row: (typeof rows)[number]) =>
    Math.max(0, (row.quantity_on_hand ?? 0) - (row.quantity_reserved ?? 0) - (row.safety_stock ?? 0))
  const short = rows.filter((row) => free(row) < row.asked)
  return failedPrecondition('stock_insufficient', 'not enough stock', {
    skus: short.map((row) => row.asked_sku).join(','),
    ...Object.fromEntries(short.map((row) => [`available.${row.asked_sku}`, free(row)])),
  })
}
