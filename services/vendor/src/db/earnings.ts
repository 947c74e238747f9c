import { enumNames } from '@haat/kit/enum'
import { newId } from '@haat/kit/id'
import type { Insertable, Transaction } from '@haat/kit/postgres'
import { type Money, money } from '@haat/money/money'
import { type Earning, EarningStatus, EarningType } from '@haat/proto/vendor/v1/vendor'
import { sql } from 'kysely'
import type { Entry } from '../domain/earnings.ts'
import type { Database, EarningRow, SaleRow, VendorEarningsTable } from './schema.ts'

export const earningTypes = enumNames(EarningType)
export const earningStatuses = enumNames(EarningStatus)

export const toEarning = (row: EarningRow): Earning => ({
  id: row.id,
  vendorId: row.vendor_id,
  type: earningTypes.fromName(row.type),
  status: earningStatuses.fromName(row.status),
  orderId: row.order_id ?? undefined,
  vendorOrderId: row.vendor_order_id ?? undefined,
  orderItemId: row.order_item_id ?? undefined,
  orderNo: row.order_no,
  gross: money(row.currency, row.gross),
  commission: money(row.currency, row.commission),
  fees: money(row.currency, row.fees),
  net: money(row.currency, row.net),
  ruleId: row.rule_id ?? undefined,
  ruleVersion: row.rule_version ?? undefined,
  eligibleAt: row.eligible_at ?? undefined,
  payoutId: row.payout_id ?? undefined,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

type SaleKey = Pick<SaleRow, 'vendor_order_id' | 'vendor_id' | 'order_id' | 'order_no'>

/**
 * Locks what is known of vendor orders, which this makes if no event of them came before, and notes what they earn if that is
 * not known yet. Always in the order of their ids, so that two events of one order never wait for each other.
 */
export async function lockSales(
  tx: Transaction<Database>,
  keys: readonly (SaleKey & { earned?: Money | undefined })[],
): Promise<Map<string, SaleRow>> {
  const rows = await tx
    .insertInto('vendor_order_sales')
    .values(
      keys
        .toSorted((a, b) => (a.vendor_order_id < b.vendor_order_id ? -1 : 1))
        .map(({ earned, ...key }) => ({
          ...key,
          net: earned?.minor ?? null,
          currency: earned?.currency ?? null,
          delivered_at: null,
          eligible_at: null,
          settled_at: null,
        })),
    )
    .onConflict((c) =>
      c.column('vendor_order_id').doUpdateSet((eb) => ({
        net: eb.fn.coalesce('vendor_order_sales.net', 'excluded.net'),
        currency: eb.fn.coalesce('vendor_order_sales.currency', 'excluded.currency'),
        updated_at: sql`now()`,
      })),
    )
    .returningAll()
    .execute()
  const sales = new Map(rows.map((row) => [row.vendor_order_id, row]))
  for (const { vendor_order_id: id, vendor_id } of keys)
    if (sales.get(id)!.vendor_id !== vendor_id) throw new Error(`vendor order ${id} belongs to another vendor`)
  return sales
}

/** What an event of an order brings, or takes from, its vendors. */
export type Booking = {
  type: 'sale' | 'refund'
  orderId: string
  orderNo: string
  reference: string
  at: Date
  parts: readonly {
    vendorOrderId: string
    vendorId: string
    /** The frozen vendor_net, of a sale. */
    earned?: Money | undefined
    entries: readonly Entry[]
  }[]
}

/** Adds entries to the accounts of vendor orders; a row that is there already stays as it is. */
export async function book(tx: Transaction<Database>, booking: Booking): Promise<void> {
  const { type, orderId: order_id, orderNo: order_no, reference, at, parts } = booking
  if (parts.length === 0) return
  const sales = await lockSales(
    tx,
    parts.map(({ vendorOrderId: vendor_order_id, vendorId: vendor_id, earned }) => ({
      vendor_order_id,
      vendor_id,
      order_id,
      order_no,
      earned,
    })),
  )
  const rows = parts.flatMap(({ vendorOrderId, entries }) => {
    const sale = sales.get(vendorOrderId)!
    return entries.map(
      (entry): Insertable<VendorEarningsTable> => ({
        id: newId(),
        vendor_id: sale.vendor_id,
        type,
        // After the vendor order is settled a refund takes from the balance at once.
        status: sale.settled_at ? 'eligible' : 'pending',
        order_id: sale.order_id,
        vendor_order_id: sale.vendor_order_id,
        order_item_id: entry.orderItemId ?? null,
        order_no: sale.order_no,
        reference,
        sku: entry.sku,
        title: entry.title,
        quantity: entry.quantity,
        gross: entry.gross.minor,
        commission: entry.commission.minor,
        net: entry.net.minor,
        currency: entry.net.currency,
        rule_id: entry.ruleId ?? null,
        rule_version: entry.ruleVersion ?? null,
        eligible_at: sale.settled_at ? at : sale.eligible_at,
        payout_id: null,
      }),
    )
  })
  if (rows.length)
    await tx
      .insertInto('vendor_earnings')
      .values(rows)
      .onConflict((c) => c.constraint('vendor_earnings_once').doNothing())
      .execute()
  const ids = [...sales.keys()]
  await completeRefunds(tx, ids)
  await settleIfDue(tx, ids, at)
}

/** Gives refund rows of vendor orders the rule and title of the sale they reverse, whichever of the two came first. */
async function completeRefunds(tx: Transaction<Database>, vendorOrderIds: readonly string[]): Promise<void> {
  await sql`
    update vendor_earnings r
       set rule_id = s.rule_id, rule_version = s.rule_version, title = s.title, updated_at = now()
      from vendor_earnings s
     where r.vendor_order_id = any(${vendorOrderIds}::uuid[]) and r.type = 'refund' and r.title = ''
       and s.vendor_order_id = r.vendor_order_id and s.type = 'sale' and s.order_item_id = r.order_item_id`.execute(tx)
}

/** Makes all earnings of locked, paid vendor orders count for payouts. */
export async function settle(tx: Transaction<Database>, vendorOrderIds: readonly string[], at: Date): Promise<void> {
  if (vendorOrderIds.length === 0) return
  await tx
    .updateTable('vendor_earnings')
    .set({ status: 'eligible', eligible_at: sql<Date>`coalesce(eligible_at, ${at}::timestamptz)`, updated_at: at })
    .where('vendor_order_id', 'in', vendorOrderIds)
    .where('status', '=', 'pending')
    .execute()
  await tx
    .updateTable('vendor_order_sales')
    .set({ settled_at: at, updated_at: at })
    .where('vendor_order_id', 'in', vendorOrderIds)
    .execute()
}

/**
 * Settles locked vendor orders whose time has come: the return window is over, or every line was turned back and nothing is
 * left to wait for.
 */
export async function settleIfDue(
  tx: Transaction<Database>,
  vendorOrderIds: readonly string[],
  now: Date,
): Promise<void> {
  const { rows } = await sql<{ vendor_order_id: string }>`
    select v.vendor_order_id
      from vendor_order_sales v
     where v.vendor_order_id = any(${vendorOrderIds}::uuid[]) and v.settled_at is null and v.net is not null
       and (
         v.eligible_at <= ${now}::timestamptz
         or exists (select from vendor_earnings where vendor_order_id = v.vendor_order_id and type = 'refund')
            and not exists (
              select from vendor_earnings where vendor_order_id = v.vendor_order_id
               group by order_item_id having sum(net) <> 0
            )
       )`.execute(tx)
  const due = rows.map((row) => row.vendor_order_id)
  await settle(tx, due, now)
}
