import { emit } from '@haat/kit/events/emit'
import type { Transaction } from '@haat/kit/postgres'
import { min } from '@haat/money/compare'
import { money } from '@haat/money/money'
import {
  type GoodsLine,
  OrderCancelled,
  OrderFulfilled,
  OrderRefunded,
  VendorOrderCancelled,
} from '@haat/proto/order/v1/events'
import { amountOf, nothing, sumParts } from '../domain/parts.ts'
import { refundOf } from '../domain/refund.ts'
import {
  moveVendorOrder,
  orderStatusOf,
  type VendorOrderMove,
  vendorOrderStatesFor,
  vendorOrderTargets,
} from '../domain/vendor-order-state.ts'
import { goodsLeft, orderHead, orderRefunded, vendorOrderHead } from './event-data.ts'
import { cancelReason } from './messages.ts'
import type { Refund } from './refunds.ts'
import {
  deliveryParts,
  isEmptied,
  itemParts,
  type Sale,
  unitsLeft,
  type VendorOrder,
  type VendorPart,
} from './sales.ts'
import type { CancelReasonName, Database, RefundLineRow, RefundPartRow } from './schema.ts'
import { addTimeline } from './timeline.ts'

// Everything here works on a sale that `lockSale` holds, and keeps the rows in memory as they are in the database.

type Tx = Transaction<Database>

export type Cancellation = { reason: CancelReasonName; note: string; byUserId: string | null; at: Date }

/** Moves a vendor order along its state table; the caller has checked that the move is legal. */
export const movePart = (tx: Tx, part: VendorPart, move: VendorOrderMove, set: PartChange, at: Date): Promise<void> =>
  moveParts(tx, [part], move, set, at)

type PartChange = Partial<
  Pick<
    VendorOrder,
    | 'accept_by'
    | 'paid_at'
    | 'accepted_at'
    | 'shipped_at'
    | 'delivered_at'
    | 'cancelled_at'
    | 'cancel_reason'
    | 'carrier'
    | 'tracking_no'
  >
>

/** Moves vendor orders of one sale together. */
export async function moveParts(
  tx: Tx,
  parts: VendorPart[],
  move: VendorOrderMove,
  set: PartChange,
  at: Date,
): Promise<void> {
  const illegal = parts.find((part) => !moveVendorOrder(part.row.status, move))
  if (illegal) throw new Error(`vendor order ${illegal.row.id} is ${illegal.row.status}: ${move} is not legal`)
  const ids = parts.map((part) => part.row.id)
  const rows = await tx
    .updateTable('vendor_orders')
    .set({ ...set, status: vendorOrderTargets[move], updated_at: at })
    .where('id', 'in', ids)
    .where('status', 'in', vendorOrderStatesFor(move))
    .returningAll()
    .execute()
  if (rows.length < parts.length) throw new Error(`vendor orders ${ids} changed under the lock of their order`)
  for (const part of parts)
    Object.assign(
      part.row,
      rows.find((row) => row.id === part.row.id),
    )
}

/** Cancels vendor orders of a sale and says so. */
export async function cancelParts(tx: Tx, sale: Sale, parts: VendorPart[], why: Cancellation): Promise<void> {
  if (parts.length) await moveParts(tx, parts, 'cancel', { cancel_reason: why.reason, cancelled_at: why.at }, why.at)
  for (const part of parts) {
    await addTimeline(tx, {
      orderId: sale.order.id,
      vendorOrderId: part.row.id,
      event: 'cancelled',
      at: why.at,
      note: why.note,
      byUserId: why.byUserId,
    })
    await emit(tx, VendorOrderCancelled, {
      ...vendorOrderHead(sale.order, part),
      reason: cancelReason.fromName(why.reason),
      note: why.note,
      wasPaid: sale.order.paid_at !== null,
      items: goodsLeft(part),
      byUserId: why.byUserId ?? '',
      cancelledAt: why.at,
    })
  }
}

/**
 * Derives the order's status from its parts and announces the end of the order, if this was it. `restock` are the goods
 * that inventory puts back because the whole order is cancelled.
 */
export async function deriveStatus(
  tx: Tx,
  sale: Sale,
  at: Date,
  cancellation?: Cancellation & { restock?: GoodsLine[] },
): Promise<void> {
  const { order } = sale
  const before = order.status
  const status = orderStatusOf(sale.parts.map((part) => part.row.status))
  if (status === before) return
  const row = await tx
    .updateTable('orders')
    .set({
      status,
      updated_at: at,
      ...(status === 'delivered' ? { delivered_at: at } : {}),
      ...(status === 'cancelled' ? { cancelled_at: at, cancel_reason: cancellation?.reason ?? 'other' } : {}),
    })
    .where('id', '=', order.id)
    .where('status', '=', before)
    .returningAll()
    .executeTakeFirstOrThrow()
  Object.assign(order, row)
  if (status === 'cancelled') {
    await addTimeline(tx, {
      orderId: order.id,
      event: 'cancelled',
      at,
      note: cancellation?.note,
      byUserId: cancellation?.byUserId ?? null,
    })
    // A checkout that never became payable was nobody's order.
    if (order.placed_at)
      await emit(tx, OrderCancelled, {
        ...orderHead(sale),
        reason: cancelReason.fromName(order.cancel_reason ?? 'other'),
        note: cancellation?.note ?? '',
        wasPaid: order.paid_at !== null,
        lines: cancellation?.restock ?? [],
        byUserId: cancellation?.byUserId ?? '',
        cancelledAt: at,
      })
  }
  if (status === 'delivered')
    await emit(tx, OrderFulfilled, {
      ...orderHead(sale),
      // Nobody is written to about it, and an event without a handler stays on the broker for a week.
      email: '',
      lines: sale.parts.filter((part) => part.row.status === 'delivered').flatMap(goodsLeft),
      deliveredAt: at,
    })
}

export type RefundPlan = {
  id: string
  kind: 'sale' | 'unsold'
  parts: { part: VendorPart; units: ReadonlyMap<string, number>; shipping: boolean }[]
  reason: string
  byUserId: string | null
  at: Date
  /** Whether, and why, order itself asks inventory to put the goods back. */
  restock?: 'cancelled' | 'refunded' | undefined
  /** The goods go back on sale, by that or by order.cancelled. */
  restocked: boolean
  key?: { scope: string; key: string; requestHash: string } | undefined
}

/** Everything that is left of these vendor orders. */
export const everythingLeft = (parts: VendorPart[]): RefundPlan['parts'] =>
  parts.map((part) => ({
    part,
    units: new Map(part.items.map((item) => [item.id, unitsLeft(item)])),
    shipping: !part.row.shipping_refunded,
  }))

/**
 * Decides a refund: writes it line by line, counts it in lines, vendor orders and the order, and announces it (unless the
 * money never became a sale). Payment gets it afterwards, see deliver-refund.ts.
 */
export async function decideRefund(tx: Tx, sale: Sale, plan: RefundPlan): Promise<Refund> {
  const { order } = sale
  const included = order.prices_include_tax
  const parts: Refund['parts'] = []
  for (const { part, units, shipping } of plan.parts) {
    const lines: RefundLineRow[] = []
    for (const item of part.items) {
      const qty = units.get(item.id) ?? 0
      if (qty === 0) continue
      const value = refundOf({ qty: item.qty, parts: itemParts(item) }, item.refunded_qty, item.refunded_qty + qty)
      lines.push({
        refund_id: plan.id,
        order_item_id: item.id,
        vendor_order_id: part.row.id,
        product_id: item.product_id,
        sku: item.sku,
        qty,
        subtotal: value.gross,
        vendor_funded_discount: value.vendorFunded,
        platform_funded_discount: value.platformFunded,
        tax: value.tax,
        commission: value.commission,
        amount: amountOf(value, included),
      })
    }
    const delivery = shipping && !part.row.shipping_refunded ? deliveryParts(part.row) : nothing
    const amount = lines.reduce((sum, line) => sum + line.amount, 0n) + amountOf(sumParts([delivery]), included)
    const row: RefundPartRow = {
      refund_id: plan.id,
      vendor_order_id: part.row.id,
      vendor_id: part.row.vendor_id,
      shipping: delivery.gross,
      shipping_vendor_funded: delivery.vendorFunded,
      shipping_platform_funded: delivery.platformFunded,
      shipping_tax: delivery.tax,
      amount,
      restocked: plan.restocked && lines.length > 0,
    }
    parts.push({ row, lines })
  }
  const amount = parts.reduce((sum, part) => sum + part.row.amount, 0n)
  const hasGoods = parts.some((part) => part.lines.length > 0)
  const row = await tx
    .insertInto('refunds')
    .values({
      id: plan.id,
      order_id: order.id,
      kind: plan.kind,
      amount,
      currency: order.currency,
      reason: plan.reason,
      by_user_id: plan.byUserId,
      state: 'pending',
      restock: plan.restock && hasGoods ? 'pending' : 'none',
      restock_reason: plan.restock ?? 'refunded',
      next_attempt_at: plan.at,
      key_scope: plan.key?.scope ?? null,
      idempotency_key: plan.key?.key ?? null,
      request_hash: plan.key?.requestHash ?? null,
      created_at: plan.at,
      paid_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('refund_parts')
    .values(parts.map((part) => part.row))
    .execute()
  const lines = parts.flatMap((part) => part.lines)
  if (lines.length) await tx.insertInto('refund_lines').values(lines).execute()
  const refund: Refund = { row, parts }

  for (const { part, shipping } of plan.parts) {
    const given = parts.find(({ row }) => row.vendor_order_id === part.row.id)!
    for (const line of given.lines) {
      const item = part.items.find((candidate) => candidate.id === line.order_item_id)!
      item.refunded_qty += line.qty
      item.refunded_amount += line.amount
      const { refunded_qty, refunded_amount } = item
      await tx.updateTable('order_items').set({ refunded_qty, refunded_amount }).where('id', '=', item.id).execute()
    }
    part.row.refunded += given.row.amount
    part.row.shipping_refunded ||= shipping
    const { refunded, shipping_refunded } = part.row
    await tx
      .updateTable('vendor_orders')
      .set({ refunded, shipping_refunded, updated_at: plan.at })
      .where('id', '=', part.row.id)
      .execute()
  }
  const full = isEmptied(sale)
  await countRefund(tx, sale, amount, full, plan.at)
  await addTimeline(tx, {
    orderId: order.id,
    // One vendor's refund is not the other vendors' business.
    ...(plan.parts.length === 1 ? { vendorOrderId: plan.parts[0]!.part.row.id } : {}),
    event: 'refunded',
    at: plan.at,
    note: plan.reason,
    byUserId: plan.byUserId,
  })
  if (plan.kind === 'sale') await emit(tx, OrderRefunded, orderRefunded(sale, refund, full))
  return refund
}

/** Counts what went back in the order; staff may have given money back beside it, so the sum is kept within the total. */
export async function countRefund(tx: Tx, { order }: Sale, amount: bigint, full: boolean, at: Date): Promise<void> {
  const of = (minor: bigint) => money(order.currency, minor)
  const refunded = min(of(order.refunded + amount), of(order.total)).minor
  const row = await tx
    .updateTable('orders')
    .set({ refunded, payment_status: full ? 'refunded' : 'partial', updated_at: at })
    .where('id', '=', order.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  Object.assign(order, row)
}
