import type { Selectable } from '@haat/kit/postgres'
import { money } from '@haat/money/money'
import type { OrderRefund } from '@haat/proto/order/v1/order'
import type { Kysely } from 'kysely'
import type { VendorShare } from '../domain/allocation.ts'
import { nothing, type Parts, sumParts } from '../domain/parts.ts'
import type { Database, RefundLineRow, RefundPartRow, RefundRow } from './schema.ts'

export type Refund = {
  row: Selectable<RefundRow>
  parts: { row: Selectable<RefundPartRow>; lines: Selectable<RefundLineRow>[] }[]
}

export const refundedLineParts = (line: Selectable<RefundLineRow>): Parts => ({
  gross: line.subtotal,
  vendorFunded: line.vendor_funded_discount,
  platformFunded: line.platform_funded_discount,
  tax: line.tax,
  commission: line.commission,
})

export const refundedDeliveryParts = (part: Selectable<RefundPartRow>): Parts => ({
  ...nothing,
  gross: part.shipping,
  vendorFunded: part.shipping_vendor_funded,
  platformFunded: part.shipping_platform_funded,
  tax: part.shipping_tax,
})

/** What each vendor order gives back in a refund. */
export const sharesOf = (refund: Refund): VendorShare[] =>
  refund.parts.map(({ row, lines }) => ({
    vendorOrderId: row.vendor_order_id,
    vendorId: row.vendor_id,
    goods: sumParts(lines.map(refundedLineParts)),
    delivery: refundedDeliveryParts(row),
  }))

/** Refunds of these orders, oldest first. */
export async function listRefunds(db: Kysely<Database>, orderIds: readonly string[]): Promise<Refund[]> {
  if (orderIds.length === 0) return []
  const rows = await db
    .selectFrom('refunds')
    .selectAll()
    .where('order_id', 'in', orderIds)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return withParts(db, rows)
}

export async function findRefund(db: Kysely<Database>, refundId: string): Promise<Refund | undefined> {
  const rows = await db.selectFrom('refunds').selectAll().where('id', '=', refundId).execute()
  return (await withParts(db, rows))[0]
}

async function withParts(db: Kysely<Database>, rows: Selectable<RefundRow>[]): Promise<Refund[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const parts = await db
    .selectFrom('refund_parts')
    .selectAll()
    .where('refund_id', 'in', ids)
    .orderBy('vendor_order_id')
    .execute()
  const lines = await db
    .selectFrom('refund_lines')
    .selectAll()
    .where('refund_id', 'in', ids)
    .orderBy('order_item_id')
    .execute()
  return rows.map((row) => ({
    row,
    parts: parts
      .filter((part) => part.refund_id === row.id)
      .map((part) => ({
        row: part,
        lines: lines.filter((line) => line.refund_id === row.id && line.vendor_order_id === part.vendor_order_id),
      })),
  }))
}

/** A refund as its order shows it; with `vendorOrderId` only that vendor's part of it. */
export function toOrderRefund({ row, parts }: Refund, vendorOrderId?: string): OrderRefund {
  const shown = parts.filter((part) => !vendorOrderId || part.row.vendor_order_id === vendorOrderId)
  const amount = vendorOrderId ? shown.reduce((sum, part) => sum + part.row.amount, 0n) : row.amount
  const of = (minor: bigint) => money(row.currency, minor)
  return {
    id: row.id,
    orderId: row.order_id,
    parts: shown.map(({ row: part, lines }) => ({
      vendorOrderId: part.vendor_order_id,
      vendorId: part.vendor_id,
      lines: lines.map((line) => ({
        orderItemId: line.order_item_id,
        sku: line.sku,
        qty: line.qty,
        amount: of(line.amount),
      })),
      shipping: of(part.shipping),
      amount: of(part.amount),
      restocked: part.restocked,
    })),
    amount: of(amount),
    reason: row.reason,
    byUserId: row.by_user_id ?? '',
    createdAt: row.created_at,
  }
}
