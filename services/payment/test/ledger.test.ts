import { newId } from '@haat/kit/id'
import { TransactionKind } from '@haat/proto/payment/v1/payment'
import { customer, staff } from '@haat/testkit/tokens'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { part, startHarness, usd } from './harness.ts'

const h = await startHarness()

/** The database as the service's own role: what a bug in the service could do. */
const client = new pg.Client({ connectionString: h.service.database.url })
await client.connect()
afterAll(() => client.end())

async function inTransaction(...statements: string[]): Promise<unknown> {
  await client.query('begin')
  try {
    for (const statement of statements) await client.query(statement)
    await client.query('commit')
    return undefined
  } catch (error) {
    await client.query('rollback')
    return error
  }
}
const transaction = (id: string, postings: number) =>
  `insert into ledger_transactions (id, kind, business_key, reference, postings) values ('${id}', 'adjustment', 'test:${id}', '${newId()}', ${postings})`
const posting = (id: string, account: string, amount: number, currency = 'USD') =>
  `insert into ledger_postings (id, transaction_id, account, currency, amount) values ('${newId()}', '${id}', '${account}', '${currency}', ${amount})`

test('the database refuses every transaction that does not sum to 0 in each currency', async () => {
  await h.paid()
  const [a, b] = ['provider_clearing:stripe', 'commission_revenue']
  const id = newId
  const cases: [string, (transactionId: string) => string[], string][] = [
    [
      'one side missing',
      (t) => [transaction(t, 2), posting(t, a, 5), posting(t, b, -4)],
      'ledger_transactions_balanced',
    ],
    [
      'two currencies',
      (t) => [transaction(t, 2), posting(t, a, 5), posting(t, b, -5, 'EUR')],
      'ledger_transactions_balanced',
    ],
    ['no postings', (t) => [transaction(t, 2)], 'ledger_transactions_complete'],
    [
      'a posting too many',
      (t) => [transaction(t, 2), posting(t, a, 5), posting(t, b, -5), posting(t, a, 1)],
      'ledger_transactions_complete',
    ],
    [
      'a posting missing',
      (t) => [transaction(t, 3), posting(t, a, 5), posting(t, b, -5)],
      'ledger_transactions_complete',
    ],
    [
      'more in the same database transaction, after the check',
      (t) => [
        transaction(t, 2),
        posting(t, a, 5),
        posting(t, b, -5),
        'set constraints all immediate',
        `${posting(t, a, 7)}, ${posting(t, b, -7).split('values ')[1]}`,
      ],
      'ledger_transactions_complete',
    ],
  ]
  for (const [name, statements, constraint] of cases)
    expect(await inTransaction(...statements(id())), name).toMatchObject({ code: '23514', constraint })
  const good = id()
  expect(await inTransaction(transaction(good, 2), posting(good, a, 5), posting(good, b, -5))).toBeUndefined()
  // Even a balanced pair cannot be slipped into a transaction that is posted.
  expect(await inTransaction(posting(good, a, 7), posting(good, b, -7))).toMatchObject({
    constraint: 'ledger_transactions_complete',
  })
  expect(await inTransaction(transaction(id(), 2).replace(/test:[^']+/, `test:${good}`))).toMatchObject({
    constraint: 'ledger_transactions_business_key_key',
  })
})

test('what is posted can neither be changed nor removed', async () => {
  await h.paid()
  for (const table of ['ledger_accounts', 'ledger_transactions', 'ledger_postings'])
    for (const statement of [
      `delete from ${table}`,
      `update ${table} set ${table === 'ledger_accounts' ? 'code = code' : 'id = id'}`,
    ])
      expect(await inTransaction(statement)).toMatchObject({ message: `${table} is append-only` })
  const truncate = sql`truncate ledger_postings`.execute(h.service.database.db)
  await expect(truncate).rejects.toThrow('ledger_postings is append-only')
})

test('the trial balance sums to 0, per vendor or together, and at any moment', async () => {
  const vendors = [newId(), newId()]
  await h.paid(3_000, { allocations: vendors.map((vendorId) => part(1_500, { vendorId })) })
  const between = new Date()
  await h.paid(1_000, { allocations: [part(1_000, { vendorId: vendors[0]! })] })
  const full = await h.office().getTrialBalance({ byVendor: true })
  expect(full.sums).toEqual([usd(0)])
  const of = (answer: typeof full, account: string) =>
    answer.balances.find((line) => line.account === account)?.balance?.minor
  expect(of(full, `vendor_payable:${vendors[0]}`)).toBe(-2_250n)
  expect(of(full, `vendor_payable:${vendors[1]}`)).toBe(-1_350n)
  const earlier = await h.office().getTrialBalance({ byVendor: true, asOf: between })
  expect(earlier.sums).toEqual([usd(0)])
  expect(of(earlier, `vendor_payable:${vendors[0]}`)).toBe(-1_350n)
  const together = await h.office().getTrialBalance({})
  const perVendor = full.balances.filter((line) => line.account.startsWith('vendor_payable:'))
  expect(of(together, 'vendor_payable:*')).toBe(perVendor.reduce((sum, line) => sum + line.balance!.minor, 0n))
  expect(together.balances.filter((line) => line.account.startsWith('vendor_payable:'))).toHaveLength(1)
})

test('postings are listed newest first, filtered and page by page', async () => {
  const vendorId = newId()
  const sold = await h.paid(2_000, { allocations: [part(2_000, { vendorId, tax: 100 })] })
  await h.order().refund(h.refundOf(sold, 500))
  await h.settle()
  const all = await h.order().listPostings({ orderId: sold.orderId })
  const kinds = all.postings.map((p) => p.kind)
  expect(kinds.filter((k) => k === TransactionKind.SALE)).toHaveLength(4)
  expect(kinds.filter((k) => k === TransactionKind.FEE)).toHaveLength(2)
  expect(kinds.filter((k) => k === TransactionKind.REFUND)).toHaveLength(3)
  expect([...all.postings].sort((a, b) => (a.id < b.id ? 1 : -1))).toEqual(all.postings)
  const paged = []
  let pageToken = ''
  do {
    const page = await h.order().listPostings({ orderId: sold.orderId, pageSize: 4, pageToken })
    paged.push(...page.postings)
    pageToken = page.nextPageToken
  } while (pageToken)
  expect(paged).toEqual(all.postings)
  const ofVendor = await h.order().listPostings({ vendorId, account: `vendor_payable:${vendorId}` })
  expect(ofVendor.postings.map((p) => p.amount?.minor)).toEqual([450n, -1_700n])
  const { transactionId } = all.postings[0]!
  const one = await h.order().listPostings({ transactionId })
  expect(one.postings.reduce((sum, p) => sum + p.amount!.minor, 0n)).toBe(0n)
})

test('the ledger is for staff and services only', async () => {
  for (const who of [await customer(), await staff('payments.read')]) {
    await expect(h.as(who).getTrialBalance({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
    await expect(h.as(who).listPostings({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  }
})
