import { enumNames } from '@haat/kit/enum'
import { newId } from '@haat/kit/id'
import type { Insertable, Transaction } from '@haat/kit/postgres'
import { money } from '@haat/money/money'
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

/** Locks what is known of a vendor order, which this makes if no event of it came before. */
export async function lockSale(tx: Transaction<Database>, key: SaleKey): Promise<SaleRow> {
  const sale = await tx
    .insertInto('vendor_order_sales')
    .values({ ...key, net: null, currency: null, delivered_at: null, eligible_at: null, settled_at: null })
    .onConflict((c) => c.column('vendor_order_id').doUpdateSet({ updated_at: sql`now()` }))
    .returningAll()
    .executeTakeFirstOrThrow()
  if (sale.vendor_id !== key.vendor_id) throw new Error(`vendor order ${key.vendor_order_id} belongs to another vendor`)
  return sale
}

/** Adds entries to the account of a locked sale; a row that is there already stays as it is. */
export async function insertEntries(
  tx: Transaction<Database>,
  sale: SaleRow,
  entries: readonly Entry[],
  row: { type: 'sale' | 'refund'; reference: string; at: Date },
): Promise<void> {
  if (entries.length === 0) return
  await tx
    .insertInto('vendor_earnings')
    .values(
      entries.map(
        (entry): Insertable<VendorEarningsTable> => ({
          id: newId(),
          vendor_id: sale.vendor_id,
          type: row.type,
          // After the vendor order is settled a refund takes from the balance at once.
          status: sale.settled_at ? 'eligible' : 'pending',
          order_id: sale.order_id,
          vendor_order_id: sale.vendor_order_id,
          order_item_id: entry.orderItemId ?? null,
          order_no: sale.order_no,
          reference: row.reference,
          sku: entry.sku,
          title: entry.title,
          quantity: entry.quantity,
          gross: entry.gross.minor,
          commission: entry.commission.minor,
          net: entry.net.minor,
          currency: entry.net.currency,
          rule_id: entry.ruleId ?? null,
          rule_version: entry.ruleVersion ?? null,
          eligible_at: sale.settled_at ? row.at : sale.eligible_at,
          payout_id: null,
        }),
      ),
    )
    .onConflict((c) => c.constraint('vendor_earnings_once').doNothing())
    .execute()
}

/** Gives refund rows of a vendor order the rule and title of the sale they reverse, whichever of the two came first. */
export async function completeRefunds(tx: Transaction<Database>, vendorOrderId: string): Promise<void> {
  await sql`
    update vendor_earnings r
       set rule_id = s.rule_id, rule_version = s.rule_version, title = s.title, updated_at = now()
      from vendor_earnings s
     where r.vendor_order_id = ${vendorOrderId} and r.type = 'refund' and r.title = ''
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
 * Settles a locked vendor order when its time has come: the return window is over, or every line was turned back and
 * nothing is left to wait for.
 */
export async function settleIfDue(tx: Transaction<Database>, vendorOrderId: string, now: Date): Promise<void> {
  const { rows } = await sql<{ due: boolean }>`
    select v.settled_at is null and v.net is not null and (
             v.eligible_at <= ${now}::timestamptz
             or exists (select from vendor_earnings where vendor_order_id = v.vendor_order_id and type = 'refund')
                and not exists (
                  select from vendor_earnings where vendor_order_id = v.vendor_order_id
                   group by order_item_id having sum(net) <> 0
                )
           ) as due
      from vendor_order_sales v
     where v.vendor_order_id = ${vendorOrderId}`.execute(tx)
  if (rows[0]?.due) await settle(tx, [vendorOrderId], now)
}
