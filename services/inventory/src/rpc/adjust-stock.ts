import { createHash } from 'node:crypto'
import { requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { enumNames } from '@haat/kit/enum'
import { conflict, failedPrecondition, invalid, notFound } from '@haat/kit/errors'
import { AdjustReason, AdjustStockRequest, type AdjustStockResponse } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { changeStock, insertMovements, lockStock, toStockLevel } from '../db/stock.ts'

const reasons = enumNames(AdjustReason)

export async function adjustStock(
  ctx: InventoryContext,
  request: AdjustStockRequest,
  call: Call,
): Promise<AdjustStockResponse> {
  const vendorId = requireVendor(call, request.vendorId, ['inventory.write'])
  if (request.delta === 0) throw invalid('delta_invalid', 'delta must not be 0')
  return ctx.db.transaction().execute(async (tx) => {
    const [before] = await lockStock(tx, [request.sku])
    if (!before || before.vendor_id !== vendorId) throw notFound('stock_not_found', 'no such SKU')
    if (request.idempotencyKey) {
      const hash = createHash('sha256').update(AdjustStockRequest.encode(request).finish()).digest('hex')
      const fresh = await tx
        .insertInto('adjustment_keys')
        .values({ vendor_id: vendorId, key: request.idempotencyKey, request_hash: hash })
        .onConflict((c) => c.doNothing())
        .returning('key')
        .executeTakeFirst()
      if (!fresh) {
        const known = await tx
          .selectFrom('adjustment_keys')
          .select('request_hash')
          .where('vendor_id', '=', vendorId)
          .where('key', '=', request.idempotencyKey)
          .executeTakeFirstOrThrow()
        if (known.request_hash !== hash)
          throw conflict('idempotency_key_reused', 'this idempotency key was used with another request')
        return { level: toStockLevel(before) }
      }
    }
    if (before.quantity_on_hand + request.delta < before.quantity_reserved)
      throw failedPrecondition('stock_below_reserved', 'that would leave less than orders hold', {
        onHand: before.quantity_on_hand,
        reserved: before.quantity_reserved,
      })
    const [after] = await changeStock(tx, [{ sku: request.sku, onHand: request.delta }])
    await insertMovements(tx, [
      {
        row: after!,
        kind: 'adjust',
        delta: request.delta,
        reason: reasons.toName(request.reason),
        note: request.note,
        by_user_id: call.caller.kind === 'user' ? call.caller.id : null,
      },
    ])
    return { level: toStockLevel(after!) }
  })
}
