import { enumNames } from '@haat/kit/enum'
import { conflict, notFound } from '@haat/kit/errors'
import type { Transaction } from '@haat/kit/postgres'
import { RestockReason } from '@haat/proto/inventory/v1/inventory'
import { type Line, linesKey } from '../domain/stock.ts'
import type { Database } from './schema.ts'
import { changeStock, insertMovements } from './stock.ts'

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
  const after = await changeStock(
    tx,
    request.lines.map(({ sku, qty }) => ({ sku, onHand: qty })),
  )
  const missing = request.lines.filter(({ sku }) => !after.some((row) => row.sku === sku))
  if (missing.length)
    throw notFound('stock_not_found', 'no such SKU', { skus: missing.map(({ sku }) => sku).join(',') })
  const qtyOf = new Map(request.lines.map((line) => [line.sku, line.qty]))
  const reason = restockReason.toName(request.reason)
  await insertMovements(
    tx,
    after.map((row) => ({ row, kind: 'restock', delta: qtyOf.get(row.sku)!, reason, reference })),
  )
  return true
}
