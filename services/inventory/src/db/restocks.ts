import { enumNames } from '@haat/kit/enum'
import { conflict, notFound } from '@haat/kit/errors'
import type { Transaction } from '@haat/kit/postgres'
import { RestockReason } from '@haat/proto/inventory/v1/inventory'
import { type Line, linesKey } from '../domain/stock.ts'
import type { Database } from './schema.ts'
import { changeStock, insertMovements, lockStock } from './stock.ts'

const restockReason = enumNames(RestockReason)

/**
 * Puts goods back on the shelf once per reference; false when this reference was restocked before. ALREADY_EXISTS
 * `restock_mismatch` when it was restocked with other lines, NOT_FOUND `stock_not_found` for an unknown SKU.
 */
export async function restockOnce(
  tx: Transaction<Database>,
  request: { reference: string; orderId: string; lines: readonly Line[]; reason: RestockReason },
): Promise<boolean> {
  const { reference, orderId } = request
  const lines = linesKey(request.lines)
  const inserted = await tx
    .insertInto('restocks')
    .values({ reference, order_id: orderId, lines })
    .onConflict((c) => c.doNothing())
    .returning('reference')
    .executeTakeFirst()
  if (!inserted) {
    const known = await tx
      .selectFrom('restocks')
      .select('lines')
      .where('reference', '=', reference)
      .executeTakeFirstOrThrow()
    if (known.lines !== lines) throw conflict('restock_mismatch', 'this reference was restocked with other lines')
    return false
  }
  const skus = request.lines.map((line) => line.sku)
  const before = await lockStock(tx, skus)
  const missing = skus.filter((sku) => !before.some((row) => row.sku === sku))
  if (missing.length) throw notFound('stock_not_found', 'no such SKU', { skus: missing.join(',') })
  const after = await changeStock(
    tx,
    before,
    request.lines.map(({ sku, qty }) => ({ sku, onHand: qty })),
  )
  const qtyOf = new Map(request.lines.map((line) => [line.sku, line.qty]))
  const reason = restockReason.toName(request.reason)
  await insertMovements(
    tx,
    after.map((row) => ({ row, kind: 'restock', delta: qtyOf.get(row.sku)!, reason, reference })),
  )
  return true
}
