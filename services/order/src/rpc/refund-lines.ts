import { createHash } from 'node:crypto'
import type { Call } from '@haat/kit/call'
import { conflict, failedPrecondition, invalid, notFound } from '@haat/kit/errors'
import { once } from '@haat/kit/idempotency'
import { RefundLinesRequest, RefundLinesResponse } from '@haat/proto/order/v1/order'
import { deliverRefund } from '../checkout/deliver-refund.ts'
import type { OrderContext } from '../context.ts'
import { cancelParts, decideRefund, deriveStatus } from '../db/changes.ts'
import { toVendorOrder } from '../db/messages.ts'
import { findRefund, toOrderRefund } from '../db/refunds.ts'
import { getSale, lockSale, partOf, unitsLeft, type VendorPart } from '../db/sales.ts'
import { personOf } from '../db/timeline.ts'
import { getVendorOrderFor } from './scope.ts'
import { wrongState } from './wrong-state.ts'

export async function refundLines(
  ctx: OrderContext,
  request: RefundLinesRequest,
  call: Call,
): Promise<RefundLinesResponse> {
  const { vendorOrderId } = request
  const { orderId } = await getVendorOrderFor(ctx, call, vendorOrderId, 'orders.write')
  if (new Set(request.lines.map((line) => line.orderItemId)).size < request.lines.length)
    throw invalid('lines_duplicate', 'name each line once')
  const scope = `refund_lines:${call.caller.id}`
  const bytes = RefundLinesRequest.encode(request).finish()
  const requestHash = createHash('sha256').update(bytes).digest('hex')
  return once(
    ctx.db,
    { scope, key: request.idempotencyKey, request: bytes, response: RefundLinesResponse },
    async (resourceId) => {
      const key = { scope, key: request.idempotencyKey, requestHash }
      const refundId =
        (await findByKey(ctx, key)) ??
        (await decide(ctx, request, { orderId, resourceId, key, byUserId: personOf(call) }))
      await deliverRefund(ctx, refundId)
      const refund = await findRefund(ctx.db, refundId)
      const part = partOf(await getSale(ctx.db, orderId), vendorOrderId)
      return { refund: toOrderRefund(refund!, vendorOrderId), vendorOrder: toVendorOrder(part, 'business') }
    },
  )
}

type Key = { scope: string; key: string; requestHash: string }

/** The refund that an attempt with this key has decided before it broke off. */
async function findByKey(ctx: OrderContext, { scope, key, requestHash }: Key): Promise<string | undefined> {
  const known = await ctx.db
    .selectFrom('refunds')
    .select(['id', 'request_hash'])
    .where('key_scope', '=', scope)
    .where('idempotency_key', '=', key)
    .executeTakeFirst()
  if (known && known.request_hash !== requestHash)
    throw conflict('idempotency_key_reused', 'this idempotency key was used with another request')
  return known?.id
}

async function decide(
  ctx: OrderContext,
  request: RefundLinesRequest,
  { orderId, resourceId, key, byUserId }: { orderId: string; resourceId: string; key: Key; byUserId: string | null },
): Promise<string> {
  return ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    const part = partOf(sale, request.vendorOrderId)
    const { status } = part.row
    if (status !== 'pending' && status !== 'accepted') throw wrongState(status)
    const units = chosenUnits(part, request)
    const isLast = part.items.every((item) => unitsLeft(item) === (units.get(item.id) ?? 0))
    const at = ctx.now()
    const refund = await decideRefund(tx, sale, {
      id: resourceId,
      kind: 'sale',
      parts: [{ part, units, shipping: request.includeShipping || isLast }],
      reason: request.reason,
      byUserId,
      at,
      restock: request.restock ? 'refunded' : undefined,
      restocked: request.restock,
      key,
    })
    if (isLast) {
      const why = { reason: 'refunded', note: request.reason, byUserId, at } as const
      await cancelParts(tx, sale, [part], why)
      await deriveStatus(tx, sale, at, why)
    }
    return refund.row.id
  })
}

function chosenUnits(part: VendorPart, request: RefundLinesRequest): Map<string, number> {
  for (const { orderItemId, qty } of request.lines) {
    const item = part.items.find((candidate) => candidate.id === orderItemId)
    if (!item)
      throw notFound('order_item_not_found', 'no such line in this vendor order', { order_item_id: orderItemId })
    if (qty > unitsLeft(item))
      throw failedPrecondition('refund_exceeds_line', 'more than is left of the line', {
        order_item_id: orderItemId,
        refundable: unitsLeft(item),
      })
  }
  return new Map(request.lines.map((line) => [line.orderItemId, line.qty]))
}
