import { emitAll, eventNow } from '@haat/kit/events/emit'
import type { Envelope } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import { InventoryLowStock, InventoryStockChanged } from '@haat/proto/inventory/v1/events'
import type { Availability, StockLevel } from '@haat/proto/inventory/v1/inventory'
import { sql } from 'kysely'
import { available, fellLow, type Stock } from '../domain/stock.ts'
import type { Database, InventoryRow, StockMovementRow } from './schema.ts'

export type StockRow = Selectable<InventoryRow>

export const stockOf = (row: StockRow): Stock => ({
  onHand: row.quantity_on_hand,
  reserved: row.quantity_reserved,
  reorderPoint: row.reorder_point,
  safetyStock: row.safety_stock,
})

export const toAvailability = (row: StockRow): Availability => ({
  sku: row.sku,
  productId: row.product_id,
  vendorId: row.vendor_id,
  available: available(stockOf(row)),
})

export const toStockLevel = (row: StockRow): StockLevel => ({
  sku: row.sku,
  productId: row.product_id,
  vendorId: row.vendor_id,
  warehouseId: row.warehouse_id ?? undefined,
  onHand: row.quantity_on_hand,
  reserved: row.quantity_reserved,
  available: available(stockOf(row)),
  reorderPoint: row.reorder_point,
  safetyStock: row.safety_stock,
  version: row.version,
  updatedAt: row.updated_at,
})

/** Locks the rows of these SKUs, always in SKU order so that two transactions never wait for each other. */
export const lockStock = (tx: Transaction<Database>, skus: readonly string[]): Promise<StockRow[]> =>
  tx.selectFrom('inventory').selectAll().where('sku', 'in', skus).orderBy('sku').forUpdate().execute()

export type StockChange = { sku: string; onHand?: number; reserved?: number }

/**
 * Adds to the counters of these SKUs in one statement, which locks them in SKU order, and announces every new level after
 * the events given. Answers the rows as they are now; an unknown SKU has none.
 */
export async function changeStock(
  tx: Transaction<Database>,
  changes: readonly StockChange[],
  events: readonly Envelope[] = [],
): Promise<StockRow[]> {
  const { rows } = await sql<StockRow>`
    with changes as (
      select c.* from unnest(
        ${changes.map((c) => c.sku)}::text[],
        ${changes.map((c) => c.onHand ?? 0)}::int[],
        ${changes.map((c) => c.reserved ?? 0)}::int[]
      ) as c (sku, on_hand, reserved)
    ), locked as materialized (
      select i.sku from inventory i join changes c using (sku) order by i.sku for update of i
    )
    update inventory i
       set quantity_on_hand = i.quantity_on_hand + c.on_hand,
           quantity_reserved = i.quantity_reserved + c.reserved,
           version = i.version + (c.on_hand <> 0)::int,
           updated_at = now()
      from changes c join locked using (sku)
     where i.sku = c.sku
    returning i.*`.execute(tx)
  const changeOf = new Map(changes.map((change) => [change.sku, change]))
  const before = rows.map((row) => {
    const { onHand = 0, reserved = 0 } = changeOf.get(row.sku)!
    return {
      ...row,
      quantity_on_hand: row.quantity_on_hand - onHand,
      quantity_reserved: row.quantity_reserved - reserved,
    }
  })
  await emitAll(tx, [...events, ...levelEvents(before, rows)])
  return rows
}

/** The new levels, and the warning for each SKU that fell to its reorder point. */
export function levelEvents(before: readonly StockRow[], after: readonly StockRow[]): Envelope[] {
  const known = new Map(before.map((row) => [row.sku, row]))
  return after.flatMap((row) => {
    const level = {
      sku: row.sku,
      productId: row.product_id,
      vendorId: row.vendor_id,
      onHand: row.quantity_on_hand,
      reserved: row.quantity_reserved,
      available: available(stockOf(row)),
    }
    const old = known.get(row.sku)
    const fell = old && fellLow(stockOf(old), stockOf(row))
    return [
      eventNow(InventoryStockChanged, level),
      ...(fell ? [eventNow(InventoryLowStock, { ...level, reorderPoint: row.reorder_point })] : []),
    ]
  })
}

export type NewMovement = Pick<StockMovementRow, 'kind' | 'delta'> &
  Partial<Pick<StockMovementRow, 'reason' | 'reference' | 'note' | 'by_user_id'>> & { row: StockRow }

/** Appends movements; `row` is the level after the movement. */
export async function insertMovements(tx: Transaction<Database>, movements: readonly NewMovement[]): Promise<void> {
  if (movements.length === 0) return
  await tx
    .insertInto('stock_movements')
    .values(
      movements.map(({ row, kind, delta, reason, reference, note, by_user_id }) => ({
        id: newId(),
        sku: row.sku,
        vendor_id: row.vendor_id,
        kind,
        delta,
        on_hand_after: row.quantity_on_hand,
        reason: reason ?? '',
        reference: reference ?? null,
        note: note ?? '',
        by_user_id: by_user_id ?? null,
      })),
    )
    .execute()
}
