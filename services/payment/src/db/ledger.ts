import { newId } from '@haat/kit/id'
import type { Transaction } from '@haat/kit/postgres'
import { type Kysely, sql } from 'kysely'
import { accounts, type Entry, feeEntries, unevenCurrencies } from '../domain/postings.ts'
import type { Movement } from '../provider/provider.ts'
import type { Database, LedgerKind } from './schema.ts'

/** What is posted together, once per business key. */
export type LedgerTransaction = {
  kind: LedgerKind
  key: string
  reference: string
  orderId?: string
  entries: readonly Entry[]
}

/**
 * Writes ledger transactions; those whose key was posted before, or in which nothing moves, change nothing. The database
 * checks again, at commit, that each sums to 0.
 */
export async function post(tx: Transaction<Database>, ...transactions: LedgerTransaction[]): Promise<void> {
  for (const { key, entries } of transactions) {
    const uneven = unevenCurrencies(entries)
    if (uneven.length) throw new Error(`${key} does not sum to 0 in ${uneven.join(', ')}`)
  }
  const moving = transactions.filter(({ entries }) => entries.length > 0)
  if (moving.length === 0) return
  const inserted = await tx
    .insertInto('ledger_transactions')
    .values(
      moving.map(({ kind, key, reference, entries }) => ({
        id: newId(),
        kind,
        business_key: key,
        reference,
        postings: entries.length,
      })),
    )
    .onConflict((c) => c.column('business_key').doNothing())
    .returning(['id', 'business_key'])
    .execute()
  const postings = inserted.flatMap(({ id, business_key }) => {
    const { entries, orderId } = moving.find(({ key }) => key === business_key)!
    return entries.map((entry) => ({ id, orderId, ...entry }))
  })
  if (postings.length === 0) return
  await openAccounts(tx, postings)
  await tx
    .insertInto('ledger_postings')
    .values(
      postings.map(({ id, orderId, account, currency, amount, vendorOrderId, vendorId }) => ({
        id: newId(),
        transaction_id: id,
        account,
        currency,
        amount,
        order_id: orderId ?? null,
        vendor_order_id: vendorOrderId ?? null,
        vendor_id: vendorId ?? null,
      })),
    )
    .execute()
}

/** What the provider kept of a movement. */
export function feeOf(
  movement: Movement,
  { provider, ...about }: { provider: string; reference: string; orderId?: string },
): LedgerTransaction {
  const entries = feeEntries(provider, movement.fee.currency, movement.fee.minor)
  return { kind: 'fee', key: `fee:${movement.id}`, ...about, entries }
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
