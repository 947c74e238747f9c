import { newId } from '@haat/kit/id'
import { PayoutFailed, PayoutProcessed } from '@haat/proto/payment/v1/events'
import { PaymentProvider, PayoutStatus } from '@haat/proto/payment/v1/payment'
import { PayoutApproved } from '@haat/proto/vendor/v1/events'
import { vendorMember } from '@haat/testkit/tokens'
import { afterEach, expect, test } from 'vitest'
import { part, startHarness, usd } from './harness.ts'

const h = await startHarness()
afterEach(async () => {
  h.clearFaults()
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  await h.expectBooksToAgree()
})

/** A vendor whom the ledger owes nine tenths of this. */
async function vendorWith(sales: number): Promise<string> {
  const vendorId = newId()
  await h.paid(sales, { allocations: [part(sales, { vendorId })] })
  return vendorId
}
const payoutOf = (vendorId: string, minor: number) => ({
  payoutId: newId(),
  vendorId,
  amount: usd(minor),
  provider: PaymentProvider.STRIPE,
  destination: '',
})
const owed = async (vendorId: string) => -((await h.balances()).get(`vendor_payable:${vendorId}`) ?? 0n)
const transfersOf = (vendorId: string) => h.emulator.state().transfers.filter((t) => t.metadata.vendor_id === vendorId)
const processed = async (payoutId: string) =>
  (await h.service.emitted(PayoutProcessed)).filter((e) => e.data.payoutId === payoutId).map((e) => e.data)
const failed = async (payoutId: string) =>
  (await h.service.emitted(PayoutFailed)).filter((e) => e.data.payoutId === payoutId).map((e) => e.data)

test('a payout is sent once, posted and announced; the vendor gets an account with the first one', async () => {
  const vendorId = await vendorWith(10_000)
  const request = payoutOf(vendorId, 4_000)
  const { payout } = await h.office().executePayout(request)
  expect(payout).toMatchObject({ status: PayoutStatus.PAID, method: 'stripe_transfer', amount: usd(4_000) })
  for (let i = 0; i < 3; i++) expect((await h.order().executePayout(request)).payout).toEqual(payout)
  expect(await owed(vendorId)).toBe(5_000n)
  await h.order().executePayout(payoutOf(vendorId, 5_000))
  expect(transfersOf(vendorId).map((t) => t.amount)).toEqual([4_000, 5_000])
  expect(h.emulator.state().accounts.filter((a) => a.metadata.vendor_id === vendorId)).toHaveLength(1)
  expect(await processed(request.payoutId)).toMatchObject([{ vendorId, externalRef: payout!.externalRef }])
})

test('the same payout with another body is refused', async () => {
  const vendorId = await vendorWith(10_000)
  const request = payoutOf(vendorId, 1_000)
  await h.order().executePayout(request)
  for (const more of [{ amount: usd(900) }, { vendorId: newId() }, { destination: 'acct_other' }])
    await expect(h.order().executePayout({ ...request, ...more })).rejects.toMatchObject({
      status: 'ALREADY_EXISTS',
      code: 'payout_mismatch',
    })
})

test('nobody is paid more than the ledger owes, however many ask at once', async () => {
  const vendorId = await vendorWith(10_000)
  await expect(h.order().executePayout(payoutOf(vendorId, 9_001))).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'payout_exceeds_balance',
    details: { available: '9000' },
  })
  await expect(h.order().executePayout(payoutOf(newId(), 1))).rejects.toMatchObject({ code: 'payout_exceeds_balance' })
  await expect(h.order().executePayout(payoutOf(vendorId, 0))).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' })
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, () => h.order().executePayout(payoutOf(vendorId, 4_000))),
  )
  expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(2)
  expect(await owed(vendorId)).toBe(1_000n)
})

test('payouts the provider does not answer go on after a restart and are sent exactly once each', async () => {
  const kinds = ['unavailable', 'rate-limit', 'error-before', 'error-after', 'lost-answer'] as const
  const vendors = new Map<string, string>()
  for (const kind of kinds) vendors.set(kind, await vendorWith(10_000))
  h.emulator.faults.pauseWebhooks()
  const asked = []
  for (const kind of kinds) {
    const vendorId = vendors.get(kind)!
    if (kind === 'lost-answer') h.loseAnswer('/v1/transfers')
    else h.emulator.faults.api({ kind, path: '/v1/transfers', method: 'POST' })
    const request = payoutOf(vendorId, 9_000)
    const { payout } = await h.order().executePayout(request)
    expect(payout, kind).toMatchObject({ status: PayoutStatus.PROCESSING, externalRef: '' })
    // What is on its way is not owed twice.
    await expect(h.order().executePayout(payoutOf(vendorId, 1))).rejects.toMatchObject({
      code: 'payout_exceeds_balance',
    })
    h.clearFaults()
    asked.push({ kind, vendorId, request })
  }
  await h.service.restart()
  await h.runLater('drive-payouts', 'drive-payouts')
  for (const { kind, request } of asked)
    expect((await h.order().executePayout(request)).payout, kind).toMatchObject({ status: PayoutStatus.PAID })
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  for (const { kind, vendorId, request } of asked) {
    expect(transfersOf(vendorId), kind).toHaveLength(1)
    expect(await processed(request.payoutId), kind).toHaveLength(1)
  }
})

test('a payout whose answer was lost is told by its notification', async () => {
  const vendorId = await vendorWith(2_000)
  h.loseAnswer('/v1/transfers')
  const request = payoutOf(vendorId, 1_800)
  await h.order().executePayout(request)
  await h.settle()
  expect((await h.order().executePayout(request)).payout).toMatchObject({ status: PayoutStatus.PAID })
  expect(await processed(request.payoutId)).toHaveLength(1)
})

test('a payout the provider refuses fails, posts nothing, and the money is owed as before', async () => {
  const vendorId = await vendorWith(2_000)
  const bare = await h.stripe.accounts.create({ type: 'express', country: 'US' })
  const request = { ...payoutOf(vendorId, 1_800), destination: bare.id }
  for (let i = 0; i < 2; i++)
    await expect(h.order().executePayout(request)).rejects.toMatchObject({
      status: 'FAILED_PRECONDITION',
      code: 'provider_rejected',
      details: { reason: 'account_invalid' },
    })
  expect(await failed(request.payoutId)).toMatchObject([{ vendorId, reasonCode: 'account_invalid' }])
  expect(await owed(vendorId)).toBe(1_800n)
  await h.order().executePayout(payoutOf(vendorId, 1_800))
  expect(await owed(vendorId)).toBe(0n)
})

test('a transfer that comes back fails the payout and is owed again; a part that comes back only is owed', async () => {
  const vendorId = await vendorWith(2_000)
  const request = payoutOf(vendorId, 1_800)
  const { payout } = await h.order().executePayout(request)
  await h.stripe.transfers.createReversal(payout!.externalRef, { amount: 300 })
  await h.settle()
  expect(await owed(vendorId)).toBe(300n)
  expect(await failed(request.payoutId)).toEqual([])
  await h.stripe.transfers.createReversal(payout!.externalRef, { amount: 1_500 })
  await h.settle()
  expect(await owed(vendorId)).toBe(1_800n)
  expect(await failed(request.payoutId)).toMatchObject([{ reasonCode: 'returned' }])
  expect((await h.order().executePayout(request)).payout).toMatchObject({
    status: PayoutStatus.FAILED,
    failureCode: 'returned',
  })
})

test('a reversal whose notification is lost is read from the provider', async () => {
  const vendorId = await vendorWith(2_000)
  const request = payoutOf(vendorId, 1_800)
  const { payout } = await h.order().executePayout(request)
  // The transfer's own notification, still on its way, would find the reversal as well.
  await h.settle()
  h.emulator.faults.webhooks({ kind: 'lose', type: 'transfer.*', count: 5 })
  await h.stripe.transfers.createReversal(payout!.externalRef)
  await h.settle()
  expect(await owed(vendorId)).toBe(0n)
  await h.fetchMissed()
  expect(await failed(request.payoutId)).toMatchObject([{ reasonCode: 'returned' }])
})

test('payout.approved sends the payout, may come twice, and fails it when the ledger owes less', async () => {
  const vendorId = await vendorWith(3_000)
  const approved = (minor: number) => ({
    payoutId: newId(),
    vendorId,
    vendorName: 'Shop',
    ownerUserId: newId(),
    amount: usd(minor),
    bankAccountId: newId(),
    bankLast4: '4242',
    bankHolder: 'A. Seller',
    bankCountry: 'US',
    approvedBy: newId(),
  })
  const [good, short] = [approved(2_000), approved(2_000)]
  await h.service.publishRaw(await h.service.publish(PayoutApproved, good))
  await h.service.publishRaw(await h.service.publish(PayoutApproved, short))
  expect(await processed(good.payoutId)).toHaveLength(1)
  expect(await failed(short.payoutId)).toMatchObject([{ reasonCode: 'balance_insufficient', amount: usd(2_000) }])
  expect(transfersOf(vendorId)).toHaveLength(1)
})

test('vendors and customers send no payouts', async () => {
  for (const who of [h.identities.buyer, await vendorMember()])
    await expect(h.as(who).executePayout(payoutOf(newId(), 1))).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
})
