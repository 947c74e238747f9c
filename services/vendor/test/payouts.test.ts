import { newId } from '@haat/kit/id'
import { PayoutFailed, PayoutProcessed } from '@haat/proto/payment/v1/events'
import { PayoutApproved, PayoutRejected, PayoutRequested } from '@haat/proto/vendor/v1/events'
import { EarningStatus, EarningType, PayoutStatus, VendorStatus } from '@haat/proto/vendor/v1/vendor'
import { staff, tokenFor, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { findDifferences } from '../src/db/books.ts'
import { bdt, defaultRule, startHarness } from './harness.ts'

const h = await startHarness({ env: { PAYOUT_MINIMUMS: 'BDT:100' } })
const HOUR_MS = 3_600_000

const key = () => newId()
const ask = (vendor: { client: typeof h.anyone; vendorId: string }, more: object = {}) =>
  vendor.client.requestPayout({ vendorId: vendor.vendorId, currency: 'BDT', idempotencyKey: key(), ...more })
const requested = async (net = 1_000) => {
  const vendor = await h.active()
  const sale = await h.earned(vendor.vendorId, net)
  const { payout } = await ask(vendor)
  return { ...vendor, sale, payoutId: payout!.id, payout: payout! }
}
const processed = (payoutId: string, vendorId: string, minor: number) =>
  h.publish(PayoutProcessed, {
    payoutId,
    vendorId,
    amount: bdt(minor),
    method: 'stripe_transfer',
    externalRef: `tr_${payoutId.slice(-6)}`,
    processedAt: new Date(),
  })
const failed = (payoutId: string, vendorId: string, reasonCode = 'account_invalid') =>
  h.publish(PayoutFailed, { payoutId, vendorId, amount: bdt(1), reasonCode, failedAt: new Date() })
const refundAll = (vendor: { vendorId: string; sale: Awaited<ReturnType<typeof h.earned>> }, net: number) =>
  h.refunded(vendor.vendorId, vendor.sale, [{ itemId: vendor.sale.itemId, net }])
const statusOf = async (payoutId: string) => (await h.approver.explainPayout({ payoutId })).payout?.status

test('a payout takes exactly the eligible, unpaid earnings of its currency', async () => {
  const vendor = await h.active()
  await h.earned(vendor.vendorId, 600)
  await h.earned(vendor.vendorId, 400)
  await h.paid(vendor.vendorId, [{ net: 77 }])
  const { payout } = await ask(vendor, { expectedAmount: bdt(1_000) })
  expect(payout).toMatchObject({
    amount: bdt(1_000),
    status: PayoutStatus.REQUESTED,
    bankAccountId: vendor.bankAccountId,
    bankLast4: '3000',
    requestedBy: vendor.userId,
    decidedBy: undefined,
  })
  expect(await h.balance(vendor.client, vendor.vendorId)).toEqual({
    pending: 77n,
    available: 0n,
    inPayout: 1_000n,
    paid: 0n,
  })
  const events = (await h.emitted(PayoutRequested)).filter((event) => event.data.vendorId === vendor.vendorId)
  expect(events.map((event) => event.data)).toMatchObject([
    { payoutId: payout!.id, amount: bdt(1_000), requestedBy: vendor.userId },
  ])
})

test('the same key answers the same payout, with another body it is refused', async () => {
  const vendor = await h.active()
  await h.earned(vendor.vendorId, 500)
  const idempotencyKey = key()
  const first = await ask(vendor, { idempotencyKey })
  await h.earned(vendor.vendorId, 500)
  expect(await ask(vendor, { idempotencyKey })).toEqual(first)
  await expect(ask(vendor, { idempotencyKey, expectedAmount: bdt(5) })).rejects.toMatchObject({
    status: 'ALREADY_EXISTS',
    code: 'idempotency_key_reused',
  })
})

test('an attempt that was cut off after its commit is found again, not made twice', async () => {
  const vendor = await h.active()
  await h.earned(vendor.vendorId, 500)
  const idempotencyKey = key()
  const first = await ask(vendor, { idempotencyKey })
  await h.db
    .updateTable('idempotency_keys')
    .set({ response: null, locked_until: new Date(0) })
    .where('key', '=', idempotencyKey)
    .execute()
  expect((await ask(vendor, { idempotencyKey })).payout?.id).toBe(first.payout?.id)
  expect((await vendor.client.listPayouts({})).payouts).toHaveLength(1)
})

test('many requests at once make one payout, and no earning is in two', async () => {
  const vendor = await h.active()
  for (let i = 0; i < 5; i++) await h.earned(vendor.vendorId, 100)
  const answers = await Promise.allSettled(Array.from({ length: 12 }, () => ask(vendor)))
  const won = answers.filter((answer) => answer.status === 'fulfilled')
  expect(won).toHaveLength(1)
  for (const answer of answers)
    if (answer.status === 'rejected')
      expect(answer.reason).toMatchObject({ status: 'FAILED_PRECONDITION', code: 'payout_open' })
  expect(won[0]!.value.payout?.amount).toEqual(bdt(500))
  expect((await vendor.client.listPayouts({})).payouts).toHaveLength(1)
})

test('nothing, too little, a changed or a negative balance is not paid out, and the key stays free', async () => {
  const vendor = await h.active()
  await expect(ask(vendor)).rejects.toMatchObject({ status: 'FAILED_PRECONDITION', code: 'balance_empty' })
  const idempotencyKey = key()
  const sale = await h.earned(vendor.vendorId, 99)
  await expect(ask(vendor, { idempotencyKey })).rejects.toMatchObject({
    code: 'balance_empty',
    details: { available: '99', minimum: '100' },
  })
  await h.earned(vendor.vendorId, 51)
  await expect(ask(vendor, { expectedAmount: bdt(151) })).rejects.toMatchObject({
    code: 'balance_changed',
    details: { available: '150' },
  })
  await h.refunded(vendor.vendorId, sale, [{ itemId: sale.itemId, net: 99 }])
  await h.refunded(vendor.vendorId, sale, [{ net: 80 }])
  expect(await h.balance(vendor.client, vendor.vendorId)).toMatchObject({ available: -29n, inPayout: 0n })
  await expect(ask(vendor)).rejects.toMatchObject({ code: 'balance_empty' })
  await h.earned(vendor.vendorId, 200)
  expect((await ask(vendor, { idempotencyKey })).payout?.amount).toEqual(bdt(171))
})

test('only an active vendor’s member with payouts.request asks, for their own vendor', async () => {
  const [vendor, other] = [await h.active(), await h.active()]
  await h.earned(vendor.vendorId, 500)
  const { vendorId } = vendor
  await expect(ask({ client: other.client, vendorId })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'vendor_not_found',
  })
  const clerk = h.as(await vendorMember(vendorId, ['payouts.read']))
  await expect(ask({ client: clerk, vendorId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(ask({ client: h.approver, vendorId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await h.reviewer.verifyBankAccount({ bankAccountId: vendor.bankAccountId, verified: false, reason: 'closed' })
  await expect(ask(vendor)).rejects.toMatchObject({ code: 'bank_unverified' })
  await h.reviewer.setVendorStatus({ vendorId, status: VendorStatus.SUSPENDED, reason: 'x' })
  await expect(ask(vendor)).rejects.toMatchObject({ code: 'vendor_not_active' })
})

test('a payout is approved while another transaction writes rows of its vendor: neither waits for the other', async () => {
  const { payoutId, vendorId } = await requested()
  await h.db.transaction().execute(async (tx) => {
    // What a row that refers to a vendor holds of it.
    await tx.selectFrom('vendors').select('id').where('id', '=', vendorId).forKeyShare().execute()
    const { payout } = await h.approver.approvePayout({ payoutId })
    expect(payout?.status).toBe(PayoutStatus.PROCESSING)
  })
})

test('an approved payout is handed to payment once, however often it is approved', async () => {
  const { payoutId, vendorId, userId, bankAccountId } = await requested()
  const approvals = await Promise.all(Array.from({ length: 6 }, () => h.approver.approvePayout({ payoutId })))
  for (const { payout } of approvals)
    expect(payout).toMatchObject({ status: PayoutStatus.PROCESSING, amount: bdt(1_000) })
  const events = (await h.emitted(PayoutApproved)).filter((event) => event.data.payoutId === payoutId)
  expect(events.map((event) => event.data)).toMatchObject([
    {
      vendorId,
      ownerUserId: userId,
      amount: bdt(1_000),
      bankAccountId,
      bankLast4: '3000',
      bankHolder: 'Rahim Uddin',
      bankCountry: 'DE',
    },
  ])
})

test('two people: neither who requested a payout nor anybody of its vendor approves it', async () => {
  const vendor = await requested()
  const { payoutId, vendorId } = vendor
  const permissions = ['payouts.approve']
  const owner = await tokenFor({ sub: vendor.userId, kind: 'user', permissions })
  await expect(h.as({ token: owner }).approvePayout({ payoutId })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
    code: 'payout_self_approval',
  })
  const insider = newId()
  h.users.set('insider@mail.example', insider)
  await vendor.client.inviteMember({ vendorId, email: 'insider@mail.example', permissions: ['orders.read'] })
  const second = await tokenFor({ sub: insider, kind: 'user', permissions })
  await expect(h.as({ token: second }).approvePayout({ payoutId })).rejects.toMatchObject({
    code: 'payout_self_approval',
  })
  await expect(vendor.client.approvePayout({ payoutId })).rejects.toMatchObject({ code: 'permission_missing' })
  const robot = await tokenFor({ sub: 'robot', kind: 'tool', permissions })
  await expect(h.as({ token: robot }).approvePayout({ payoutId })).rejects.toMatchObject({ code: 'person_required' })
  expect(await statusOf(payoutId)).toBe(PayoutStatus.REQUESTED)
  const forged = { status: 'processing' as const, decided_by: vendor.userId }
  await expect(h.db.updateTable('vendor_payouts').set(forged).where('id', '=', payoutId).execute()).rejects.toThrow(
    'two_persons',
  )
})

test('a change of the bank account freezes payouts, asked for and requested alike, until the hold is over', async () => {
  const vendor = await requested()
  const { client, vendorId, payoutId } = vendor
  const account = await h.addAccount(client, vendorId, { makeDefault: true })
  await h.reviewer.verifyBankAccount({ bankAccountId: account.id, verified: true, reason: '' })
  const frozen = {
    status: 'FAILED_PRECONDITION',
    code: 'payout_frozen',
    details: { until: expect.stringMatching(/Z$/) },
  }
  await expect(h.approver.approvePayout({ payoutId })).rejects.toMatchObject(frozen)
  await h.approver.rejectPayout({ payoutId, reason: 'ask again' })
  await expect(ask(vendor)).rejects.toMatchObject(frozen)
  h.pass(71 * HOUR_MS)
  await expect(ask(vendor)).rejects.toMatchObject(frozen)
  h.pass(1.1 * HOUR_MS)
  const { payout } = await ask(vendor)
  expect(payout).toMatchObject({ bankAccountId: account.id })
  await h.approver.approvePayout({ payoutId: payout!.id })
})

test('a payout asked for with one account is never approved for another', async () => {
  const { client, vendorId, payoutId } = await requested()
  const account = await h.addAccount(client, vendorId, { makeDefault: true })
  await h.reviewer.verifyBankAccount({ bankAccountId: account.id, verified: true, reason: '' })
  h.pass(73 * HOUR_MS)
  await expect(h.approver.approvePayout({ payoutId })).rejects.toMatchObject({ code: 'bank_unverified' })
  expect(await statusOf(payoutId)).toBe(PayoutStatus.REQUESTED)
})

test('refunds since the request come off an approved payout, as far as other earnings do not cover them', async () => {
  const vendor = await requested(1_000)
  await refundAll(vendor, 300)
  const { payout } = await h.approver.approvePayout({ payoutId: vendor.payoutId })
  expect(payout).toMatchObject({ status: PayoutStatus.PROCESSING, amount: bdt(700) })
  expect(await h.balance(vendor.client, vendor.vendorId)).toMatchObject({ available: 0n, inPayout: 700n })

  const covered = await requested(1_000)
  await refundAll(covered, 300)
  await h.earned(covered.vendorId, 400)
  expect((await h.approver.approvePayout({ payoutId: covered.payoutId })).payout?.amount).toEqual(bdt(1_000))
  expect(await h.balance(covered.client, covered.vendorId)).toMatchObject({ available: 100n, inPayout: 1_000n })

  const spent = await requested(1_000)
  await refundAll(spent, 1_000)
  await expect(h.approver.approvePayout({ payoutId: spent.payoutId })).rejects.toMatchObject({ code: 'balance_empty' })
  expect(await statusOf(spent.payoutId)).toBe(PayoutStatus.REQUESTED)
  expect(await h.balance(spent.client, spent.vendorId)).toMatchObject({ available: -1_000n, inPayout: 1_000n })
})

test('a suspended vendor’s payout is not approved', async () => {
  const { vendorId, payoutId } = await requested()
  await h.reviewer.setVendorStatus({ vendorId, status: VendorStatus.SUSPENDED, reason: 'x' })
  await expect(h.approver.approvePayout({ payoutId })).rejects.toMatchObject({ code: 'vendor_not_active' })
})

test('a rejected payout gives its earnings back, once, and can still be explained', async () => {
  const vendor = await requested()
  const { payoutId } = vendor
  const reject = () => h.approver.rejectPayout({ payoutId, reason: 'wrong month' })
  await Promise.all([reject(), reject(), reject()])
  expect((await reject()).payout).toMatchObject({
    status: PayoutStatus.REJECTED,
    reason: 'wrong month',
    decidedBy: expect.any(String),
  })
  expect(await h.balance(vendor.client, vendor.vendorId)).toMatchObject({ available: 1_000n, inPayout: 0n })
  expect((await h.emitted(PayoutRejected)).filter((event) => event.data.payoutId === payoutId)).toHaveLength(1)
  await expect(h.approver.approvePayout({ payoutId })).rejects.toMatchObject({ code: 'payout_status_conflict' })
  expect((await vendor.client.explainPayout({ payoutId })).entries).toMatchObject([
    { earning: { net: bdt(1_000), payoutId: undefined } },
  ])
  const again = await ask(vendor)
  await h.approver.approvePayout({ payoutId: again.payout!.id })
  await expect(h.approver.rejectPayout({ payoutId: again.payout!.id, reason: 'late' })).rejects.toMatchObject({
    code: 'payout_status_conflict',
  })
  await expect(h.approver.rejectPayout({ payoutId: newId(), reason: 'x' })).rejects.toMatchObject({
    code: 'payout_not_found',
  })
  await expect(h.approver.approvePayout({ payoutId: newId() })).rejects.toMatchObject({ code: 'payout_not_found' })
})

test('of approving and rejecting at once one wins', async () => {
  const { payoutId } = await requested()
  const [approved, rejected] = await Promise.allSettled([
    h.approver.approvePayout({ payoutId }),
    h.approver.rejectPayout({ payoutId, reason: 'x' }),
  ])
  expect([approved.status, rejected.status].toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(await statusOf(payoutId)).toBe(
    approved.status === 'fulfilled' ? PayoutStatus.PROCESSING : PayoutStatus.REJECTED,
  )
})

test('a processed payout pays its earnings and books the money that left; a later refund leaves a debt that nets', async () => {
  const vendor = await requested()
  const { client, vendorId, payoutId } = vendor
  await h.approver.approvePayout({ payoutId })
  const envelope = await processed(payoutId, vendorId, 1_000)
  await h.publishRaw(envelope)
  await processed(payoutId, vendorId, 1_000)
  const { payouts } = await client.listPayouts({ status: PayoutStatus.PAID })
  expect(payouts).toMatchObject([
    { id: payoutId, externalRef: expect.stringMatching(/^tr_/), paidAt: expect.any(Date) },
  ])
  expect(await h.balance(client, vendorId)).toEqual({ pending: 0n, available: 0n, inPayout: 0n, paid: 1_000n })
  const { earnings } = await client.listEarnings({})
  expect(earnings).toMatchObject([
    { type: EarningType.PAYOUT, status: EarningStatus.PAID, net: bdt(-1_000), payoutId },
    { type: EarningType.SALE, status: EarningStatus.PAID, payoutId },
  ])
  await refundAll(vendor, 250)
  expect(await h.balance(client, vendorId)).toMatchObject({ available: -250n, paid: 1_000n })
  await h.earned(vendorId, 600)
  const next = await ask(vendor)
  expect(next.payout?.amount).toEqual(bdt(350))
})

test('a failed payout gives its earnings back, before or after the money had left', async () => {
  const early = await requested()
  await h.approver.approvePayout({ payoutId: early.payoutId })
  await failed(early.payoutId, early.vendorId)
  await processed(early.payoutId, early.vendorId, 1_000)
  expect((await early.client.listPayouts({})).payouts).toMatchObject([
    { status: PayoutStatus.FAILED, reason: 'account_invalid' },
  ])
  expect(await h.balance(early.client, early.vendorId)).toEqual({
    pending: 0n,
    available: 1_000n,
    inPayout: 0n,
    paid: 0n,
  })

  const late = await requested()
  await h.approver.approvePayout({ payoutId: late.payoutId })
  await processed(late.payoutId, late.vendorId, 1_000)
  await failed(late.payoutId, late.vendorId, 'returned')
  await failed(late.payoutId, late.vendorId, 'returned')
  expect(await h.balance(late.client, late.vendorId)).toEqual({
    pending: 0n,
    available: 1_000n,
    inPayout: 0n,
    paid: 0n,
  })
  const { earnings } = await late.client.listEarnings({})
  expect(earnings.reduce((sum, earning) => sum + earning.net!.minor, 0n)).toBe(1_000n)
  const again = await ask(late)
  await h.approver.approvePayout({ payoutId: again.payout!.id })
  await processed(again.payout!.id, late.vendorId, 1_000)
  expect(await h.balance(late.client, late.vendorId)).toMatchObject({ available: 0n, paid: 1_000n })
})

test('payment’s word about another amount, or a payout nobody approved, books nothing', async () => {
  const { payoutId, vendorId } = await requested()
  await processed(payoutId, vendorId, 1_000)
  expect(await statusOf(payoutId)).toBe(PayoutStatus.REQUESTED)
  await h.approver.approvePayout({ payoutId })
  await processed(payoutId, vendorId, 999)
  expect(await statusOf(payoutId)).toBe(PayoutStatus.PROCESSING)
})

test('a payout is explained down to order line and rule, and the pages sum to its amount', async () => {
  const vendor = await h.active()
  const { vendorId } = vendor
  const { rules, version } = await h.setRules(defaultRule(1_000))
  const frozen = { ruleId: rules[0]!.id, ruleVersion: version }
  const lines = Array.from({ length: 5 }, (_, i) => ({ itemId: newId(), net: 90 + i, commission: 10, ...frozen }))
  const sale = await h.paid(vendorId, lines, { delivery: 60 })
  await h.setRules(defaultRule(5_000))
  await h.refunded(vendorId, sale, [{ itemId: lines[0]!.itemId, net: 45, commission: 5 }])
  await h.delivered(vendorId, sale, new Date(0))
  const { payout } = await ask(vendor)
  const entries = []
  for (let pageToken = ''; ; ) {
    const page = await vendor.client.explainPayout({ payoutId: payout!.id, pageSize: 3, pageToken })
    entries.push(...page.entries)
    pageToken = page.nextPageToken
    if (!pageToken) break
  }
  expect(entries).toHaveLength(7)
  expect(entries.reduce((sum, entry) => sum + entry.earning!.net!.minor, 0n)).toBe(payout!.amount!.minor)
  const refund = entries.find((entry) => entry.earning?.type === EarningType.REFUND)
  expect(refund).toMatchObject({
    rule: { id: rules[0]!.id, version, percentBps: 1_000 },
    sku: 'SKU-1',
    title: 'Thing',
    quantity: 1,
  })
  const shipping = entries.find((entry) => entry.earning?.orderItemId === undefined)
  expect(shipping).toMatchObject({ rule: undefined, sku: '', earning: { net: bdt(60) } })

  const stranger = await h.active()
  await expect(stranger.client.explainPayout({ payoutId: payout!.id })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'payout_not_found',
  })
  await expect(stranger.client.explainPayout({ payoutId: newId() })).rejects.toMatchObject({ code: 'payout_not_found' })
  expect((await h.approver.explainPayout({ payoutId: payout!.id })).entries).toHaveLength(7)
})

test('payouts are listed by vendor, status and page; a foreign vendor’s stay unseen', async () => {
  const one = await requested()
  const two = await requested()
  await expect(one.client.listPayouts({ vendorId: two.vendorId })).rejects.toMatchObject({ code: 'vendor_not_found' })
  expect((await one.client.listPayouts({})).payouts.map((payout) => payout.id)).toEqual([one.payoutId])
  const first = await h.approver.listPayouts({ pageSize: 1, status: PayoutStatus.REQUESTED })
  const second = await h.approver.listPayouts({
    pageSize: 1,
    status: PayoutStatus.REQUESTED,
    pageToken: first.nextPageToken,
  })
  expect([first, second].flatMap((page) => page.payouts.map((payout) => payout.id))).toEqual([
    two.payoutId,
    one.payoutId,
  ])
  await expect(h.as(await staff('orders.read')).listPayouts({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})

test('after all of this the books agree, and a row changed behind our back is found', async () => {
  expect(await findDifferences(h.db)).toEqual([])
  await h.service.service.runJob('check-books')
  const { vendorOrderId } = (await requested()).sale
  await h.db.updateTable('vendor_order_sales').set({ net: 1n }).where('vendor_order_id', '=', vendorOrderId).execute()
  expect(await findDifferences(h.db)).toEqual([{ kind: 'sale', id: vendorOrderId, expected: 1n, actual: 1_000n }])
  await expect(h.service.service.runJob('check-books')).rejects.toThrow(`sale ${vendorOrderId}`)
})
