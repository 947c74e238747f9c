import type { Selectable, Transaction } from '@haat/kit/postgres'
import type { Kysely } from 'kysely'
import { nothing, type Parts } from '../domain/parts.ts'
import type { Database, OrderItemRow, OrderRow, VendorOrderRow } from './schema.ts'

export type Order = Selectable<OrderRow>
export type VendorOrder = Selectable<VendorOrderRow>
export type Item = Selectable<OrderItemRow>
export type VendorPart = { row: VendorOrder; items: Item[] }

/** An order with its vendor orders and their lines. */
export type Sale = { order: Order; parts: VendorPart[] }

/** Sales by order id, in the order asked. */
export async function listSales(db: Kysely<Database>, orders: Order[]): Promise<Sale[]> {
  if (orders.length === 0) return []
  const ids = orders.map((order) => order.id)
  const rows = await db.selectFrom('vendor_orders').selectAll().where('order_id', 'in', ids).orderBy('id').execute()
  const items = await db.selectFrom('order_items').selectAll().where('order_id', 'in', ids).orderBy('id').execute()
  return orders.map((order) => saleOf(order, rows, items))
}

/** An order's sale from rows that hold it, in their order. */
export const saleOf = (order: Order, rows: VendorOrder[], items: Item[]): Sale => ({
  order,
  parts: rows
    .filter((row) => row.order_id === order.id)
    .map((row) => ({ row, items: items.filter((item) => item.vendor_order_id === row.id) })),
})

export async function findSale(db: Kysely<Database>, orderId: string): Promise<Sale | undefined> {
  const order = await db.selectFrom('orders').selectAll().where('id', '=', orderId).executeTakeFirst()
  return order && (await listSales(db, [order]))[0]
}

export async function getSale(db: Kysely<Database>, orderId: string): Promise<Sale> {
  const sale = await findSale(db, orderId)
  if (!sale) throw new Error(`no order ${orderId}`)
  return sale
}

/**
 * The sale, with its order locked. Whoever changes an order or a part of it holds this lock, so that derived states and
 * the events' sequence are right.
 */
export async function lockSale(tx: Transaction<Database>, orderId: string): Promise<Sale> {
  return (await listSales(tx, [await lockOrder(tx, orderId)]))[0]!
}

export const lockOrder = (tx: Transaction<Database>, orderId: string): Promise<Order> =>
  tx.selectFrom('orders').selectAll().where('id', '=', orderId).forUpdate().executeTakeFirstOrThrow()

export const partOf = (sale: Sale, vendorOrderId: string): VendorPart =>
  sale.parts.find((part) => part.row.id === vendorOrderId)!

/** Units of a line that are not refunded. */
export const unitsLeft = (item: Item): number => item.qty - item.refunded_qty

export const itemParts = (item: Item): Parts => ({
  gross: item.subtotal,
  vendorFunded: item.vendor_funded_discount,
  platformFunded: item.platform_funded_discount,
  tax: item.tax,
  commission: item.commission,
})

export const deliveryParts = (row: VendorOrder): Parts => ({
  ...nothing,
  gross: row.shipping,
  vendorFunded: row.shipping_vendor_funded,
  platformFunded: row.shipping_platform_funded,
  tax: row.shipping_tax,
})

/** Nothing of the order is left: no unit, no delivery charge. */
export const isEmptied = (sale: Sale): boolean =>
  sale.parts.every(({ row, items }) => row.shipping_refunded && items.every((item) => unitsLeft(item) === 0))

/** Lines of one SKU each, as inventory wants them. */
export const stockLines = (items: readonly { sku: string; qty: number }[]): { sku: string; qty: number }[] =>
  items.map(({ sku, qty }) => ({ sku, qty })).sort((a, b) => (a.sku < b.sku ? -1 : 1))
