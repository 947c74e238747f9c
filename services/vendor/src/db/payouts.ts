import { enumNames } from '@haat/kit/enum'
import { notFound } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { Transaction } from '@haat/kit/postgres'
import { money } from '@haat/money/money'
import { type Payout, PayoutMethod, PayoutStatus } from '@haat/proto/vendor/v1/vendor'
import { sql } from 'kysely'
import type { Database, PayoutRow } from './schema.ts'

export const payoutMethods = enumNames(PayoutMethod)
export const payoutStatuses = enumNames(PayoutStatus)

export const payoutNotFound = () => notFound('payout_not_found', 'no such payout')

export const toPayout = (row: PayoutRow): Payout => ({
  id: row.id,
  vendorId: row.vendor_id,
  amount: money(row.currency, row.amount),
  method: payoutMethods.fromName(row.method),
  externalRef: row.external_ref,
  status: payoutStatuses.fromName(row.status),
  reason: row.reason,
  bankAccountId: row.bank_account_id,
  bankLast4: row.bank_last4,
  requestedBy: row.requested_by,
  requestedAt: row.requested_at,
  decidedBy: row.decided_by ?? undefined,
  decidedAt: row.decided_at ?? undefined,
  paidAt: row.paid_at ?? undefined,
  updatedAt: row.updated_at,
})

/** Locks a payout. A transaction that also needs the vendor locks the vendor first. */
export const lockPayout = (tx: Transaction<Database>, payoutId: string): Promise<PayoutRow | undefined> =>
  tx.selectFrom('vendor_payouts').selectAll().where('id', '=', payoutId).forUpdate().executeTakeFirst()

/**
 * Puts every eligible earning that no payout covers under this payout, in one statement, and answers their sum: what is
 * summed is exactly what is attached, whatever happens at the same time.
 */
export async function attachEarnings(
  tx: Transaction<Database>,
  payout: { id: string; vendorId: string; currency: string },
): Promise<bigint> {
  const { rows } = await sql<{ total: bigint }>`
    with attached as (
      update vendor_earnings
         set payout_id = ${payout.id}, updated_at = now()
       where vendor_id = ${payout.vendorId} and currency = ${payout.currency}
         and status = 'eligible' and payout_id is null
      returning id, net
    ), remembered as (
      insert into vendor_payout_earnings (payout_id, earning_id) select ${payout.id}, id from attached
    )
    select coalesce(sum(net), 0) as total from attached`.execute(tx)
  return rows[0]!.total
}

/**
 * Puts what no payout covers under this payout if its sum is negative, so that refunds since the request come off it;
 * answers that sum, or 0. Earnings that outweigh the refunds stay where they are.
 */
export async function attachShortfall(tx: Transaction<Database>, payout: PayoutRow): Promise<bigint> {
  const { rows } = await sql<{ total: bigint }>`
    with free as materialized (
      select id, net from vendor_earnings
       where vendor_id = ${payout.vendor_id} and currency = ${payout.currency}
         and status = 'eligible' and payout_id is null
         for update
    ), attached as (
      update vendor_earnings e
         set payout_id = ${payout.id}, updated_at = now()
        from free
       where e.id = free.id and (select sum(net) from free) < 0
      returning e.id, e.net
    ), remembered as (
      insert into vendor_payout_earnings (payout_id, earning_id) select ${payout.id}, id from attached
    )
    select coalesce(sum(net), 0) as total from attached`.execute(tx)
  return rows[0]!.total
}

/** Frees the earnings of a payout that was not, or not in the end, made: the next one may pay them. */
export async function freeEarnings(tx: Transaction<Database>, payoutId: string): Promise<void> {
  await tx
    .updateTable('vendor_earnings')
    .set({ status: 'eligible', payout_id: null, updated_at: sql`now()` })
    .where('payout_id', '=', payoutId)
    .where('reference', '<>', payoutId)
    .execute()
}

/**
 * Books money that left (type `payout`, negative) or came back (type `adjustment`, positive). Both have the status `paid`:
 * they balance the earnings of the payout and are in no balance themselves.
 */
export async function bookMovement(
  tx: Transaction<Database>,
  payout: PayoutRow,
  type: 'payout' | 'adjustment',
): Promise<void> {
  const net = type === 'payout' ? -payout.amount : payout.amount
  await tx
    .insertInto('vendor_earnings')
    .values({
      id: newId(),
      vendor_id: payout.vendor_id,
      type,
      status: 'paid',
      order_id: null,
      vendor_order_id: null,
      order_item_id: null,
      reference: payout.id,
      gross: net,
      commission: 0n,
      net,
      currency: payout.currency,
      rule_id: null,
      rule_version: null,
      eligible_at: null,
      payout_id: payout.id,
    })
    .onConflict((c) => c.constraint('vendor_earnings_once').doNothing())
    .execute()
}
