import { newId } from '@haat/kit/id'
import type { Transaction } from '@haat/kit/postgres'
import { type Kysely, sql } from 'kysely'
import { accounts, type Entry, feeEntries, unevenCurrencies } from '../domain/postings.ts'
import type { Movement } from '../provider/provider.ts'
import type { Database, LedgerKind } from './schema.ts'

/**
 * Writes one ledger transaction, once per business key; false when the key was posted before, or nothing moves. The
 * database checks again, at commit, that it sums to 0.
 */
export async function post(
  tx: Transaction<Database>,
  transaction: { kind: LedgerKind; key: string; reference: string; orderId?: string; entries: readonly Entry[] },
): Promise<boolean> {
  const { kind, key, reference, entries } = transaction
  const uneven = unevenCurrencies(entries)
  if (uneven.length) throw new Error(`${key} does not sum to 0 in ${uneven.join(', ')}`)
  if (entries.length === 0) return false
  const inserted = await tx
    .insertInto('ledger_transactions')
    .values({ id: newId(), kind, business_key: key, reference, postings: entries.length })
    .onConflict((c) => c.column('business_key').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!inserted) return false
  await openAccounts(tx, entries)
  await tx
    .insertInto('ledger_postings')
    .values(
      entries.map((entry) => ({
        id: newId(),
        transaction_id: inserted.id,
        account: entry.account,
        currency: entry.currency,
        amount: entry.amount,
        order_id: transaction.orderId ?? null,
        vendor_order_id: entry.vendorOrderId ?? null,
        vendor_id: entry.vendorId ?? null,
      })),
    )
    .execute()
  return true
}

/** Posts what the provider kept of a movement, once per movement. */
export async function postFee(
  tx: Transaction<Database>,
  movement: Movement,
  about: { provider: string; reference: string; orderId?: string },
): Promise<void> {
  const { provider, ...rest } = about
  const entries = feeEntries(provider, movement.fee.currency, movement.fee.minor)
  await post(tx, { kind: 'fee', key: `fee:${movement.id}`, ...rest, entries })
}

// In the order of their codes, so that two transactions that open the same accounts never wait for each other.
async function openAccounts(
  tx: Transaction<Database>,
  entries: readonly Pick<Entry, 'account' | 'vendorId'>[],
): Promise<void> {
  const vendorOf = new Map(
    entries.map(({ account, vendorId }) => [
      account,
      vendorId && account === accounts.vendor(vendorId) ? vendorId : null,
    ]),
  )
  const rows = [...vendorOf]
    .map(([code, vendor_id]) => ({ code, vendor_id }))
    .sort((a, b) => (a.code < b.code ? -1 : 1))
  await tx
    .insertInto('ledger_accounts')
    .values(rows)
    .onConflict((c) => c.doNothing())
    .execute()
}

/**
 * What the ledger owes a vendor in this currency, less what is on its way to them. Holds the vendor's account until the
 * transaction ends, so that two payouts never count the same money.
 */
export async function lockOwedToVendor(tx: Transaction<Database>, vendorId: string, currency: string): Promise<bigint> {
  const account = accounts.vendor(vendorId)
  await openAccounts(tx, [{ account, vendorId }])
  await tx.selectFrom('ledger_accounts').select('code').where('code', '=', account).forNoKeyUpdate().execute()
  const { rows } = await sql<{ owed: bigint }>`
    select (
      - coalesce((select sum(amount) from ledger_postings where account = ${account} and currency = ${currency}), 0)
      - coalesce((select sum(amount) from payouts
                   where vendor_id = ${vendorId} and currency = ${currency} and status = 'processing'), 0)
    )::bigint as owed`.execute(tx)
  return rows[0]!.owed
}

export type BalanceLine = { account: string; currency: string; balance: bigint; postings: bigint }

/** The sum of every account and currency, by currency and account. */
export async function listBalances(
  db: Kysely<Database>,
  options: { before: Date | undefined; byVendor: boolean },
): Promise<BalanceLine[]> {
  const account = options.byVendor
    ? sql`account`
    : sql`case when account like 'vendor_payable:%' then 'vendor_payable:*' else account end`
  const before = options.before ?? null
  const { rows } = await sql<BalanceLine>`
    select ${account} as account, currency, sum(amount)::bigint as balance, count(*) as postings
      from ledger_postings
     where (${before}::timestamptz is null or posted_at < ${before}::timestamptz)
     group by 1, 2 order by 2, 1`.execute(db)
  return rows
}
