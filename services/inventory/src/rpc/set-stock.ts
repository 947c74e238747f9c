import { requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { AppError, aborted, failedPrecondition, notFound } from '@haat/kit/errors'
import { emitAll } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import type { SetStockRequest, SetStockResponse } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { insertMovements, levelEvents, lockStock, toStockLevel } from '../db/stock.ts'

export async function setStock(ctx: InventoryContext, request: SetStockRequest, call: Call): Promise<SetStockResponse> {
  const vendorId = requireVendor(call, request.vendorId, ['inventory.write'])
  const byUserId = call.caller.kind === 'user' ? call.caller.id : null
  const { sku, productId } = request
  const counted = await ctx.db.selectFrom('inventory').select('sku').where('sku', '=', sku).executeTakeFirst()
  // The first count makes the SKU this vendor's, so it must be one that it sells.
  if (!counted && !(await sells(ctx, { vendorId, productId, sku }))) throw stockNotFound()
  return ctx.db.transaction().execute(async (tx) => {
    // A concurrent first call waits here for the other's insert, then finds its row.
    await tx
      .insertInto('inventory')
      .values({
        id: newId(),
        sku: request.sku,
        product_id: request.productId,
        vendor_id: vendorId,
        warehouse_id: request.warehouseId ?? null,
        quantity_on_hand: 0,
        quantity_reserved: 0,
        reorder_point: 0,
        safety_stock: 0,
        version: 0,
      })
      .onConflict((c) => c.column('sku').doNothing())
      .execute()
    const [before] = await lockStock(tx, [request.sku])
    if (!before || before.vendor_id !== vendorId) throw stockNotFound()
    if (request.expectedVersion !== undefined && request.expectedVersion !== before.version)
      throw aborted('stock_version_conflict', 'the stock changed meanwhile', { version: before.version })
    if (request.onHand < before.quantity_reserved)
      throw failedPrecondition('stock_below_reserved', 'orders hold more than that', {
        reserved: before.quantity_reserved,
      })
    const after = await tx
      .updateTable('inventory')
      .set({
        quantity_on_hand: request.onHand,
        reorder_point: request.reorderPoint ?? before.reorder_point,
        safety_stock: request.safetyStock ?? before.safety_stock,
        warehouse_id: request.warehouseId ?? before.warehouse_id,
        version: before.version + 1,
        updated_at: ctx.now(),
      })
      .where('sku', '=', request.sku)
      .returningAll()
      .executeTakeFirstOrThrow()
    const delta = after.quantity_on_hand - before.quantity_on_hand
    if (delta !== 0)
      await insertMovements(tx, [{ row: after, kind: 'count', delta, note: request.note, by_user_id: byUserId }])
    await emitAll(tx, levelEvents([before], [after]))
    return { level: toStockLevel(after) }
  })
}

const stockNotFound = () => notFound('stock_not_found', 'no such SKU')

/** Whether the vendor's product has a variant with this SKU, as far as the caller may see products. */
async function sells(
  ctx: InventoryContext,
  of: { vendorId: string; productId: string; sku: string },
): Promise<boolean> {
  try {
    const { product } = await ctx.catalog.getProduct({ productId: of.productId })
    return product?.vendorId === of.vendorId && product.variants.some((variant) => variant.sku === of.sku)
  } catch (error) {
    if (error instanceof AppError && error.status === 'NOT_FOUND') return false
    throw error
  }
}
