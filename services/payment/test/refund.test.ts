import { newId } from '@haat/kit/id'
import { PaymentRefunded } from '@haat/proto/payment/v1/events'
import { PaymentStatus, RefundStatus, TransactionKind, VoidOutcome } from '@haat/proto/payment/v1/payment'
import { afterEach, expect, test } from 'vitest'
import { part, startHarness, usd } from './harness.ts'

const h = await startHarness()
afterEach(async () => {
  h.clearFaults()
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  await h.expectBooksToAgree()
})

const refunded = async (orderId: string) =>
  (await h.service.emitted(PaymentRefunded)).filter((e) => e.data.orderId === orderId).map((e) => e.data)
const atProvider = (intentId: string) => h.emulator.state().refunds.filter((r) => r.payment_intent === intentId)

test('a part, then the rest: each is paid once, posted and announced with the total so far', async () => {
  const vendorId = newId()
  const sold = await h.paid(5_000, { allocations: [part(5_000, { vendorId })] })
  const first = await h.order().refund(h.refundOf(sold, 2_000))
  expect(first.refund).toMatchObject({ status: RefundStatus.SUCCEEDED, amount: usd(2_000), paymentId: sold.paymentId })
  expect(await h.get(sold.orderId)).toMatchObject({ status: PaymentStatus.PARTIALLY_REFUNDED, refunded: usd(2_000) })
  expect((await h.balances()).get(`vendor_payable:${vendorId}`)).toBe(-2_700n)
  await h.order().refund(h.refundOf(sold, 3_000))
  await h.settle()
  const payment = await h.get(sold.orderId)
  expect(payment).toMatchObject({ status: PaymentStatus.REFUNDED, refunded: usd(5_000) })
  expect(payment.refunds.map((r) => r.externalRef)).toEqual(atProvider(sold.intentId).map((r) => r.id))
  expect((await h.balances()).get(`vendor_payable:${vendorId}`)).toBe(0n)
  expect(await refunded(sold.orderId)).toMatchObject([
    { amount: usd(2_000), refundedTotal: usd(2_000), full: false },
    { amount: usd(3_000), refundedTotal: usd(5_000), full: true },
  ])
})

test('the same request again, by key or by refund_id, gives nothing more', async () => {
  const sold = await h.paid()
  const request = h.refundOf(sold, 1_000)
  const first = await h.order().refund(request)
  expect(await h.order().refund(request)).toEqual(first)
  expect(await h.order().refund({ ...request, idempotencyKey: newId() })).toEqual(first)
  await expect(h.order().refund({ ...request, reason: 'other' })).rejects.toMatchObject({
    code: 'idempotency_key_reused',
  })
  await expect(
    h.order().refund({
      ...request,
      idempotencyKey: newId(),
      amount: usd(900),
      allocations: h.refundOf(sold, 900).allocations,
    }),
  ).rejects.toMatchObject({ status: 'ALREADY_EXISTS', code: 'idempotency_key_reused' })
  expect(atProvider(sold.intentId)).toHaveLength(1)
  expect(await refunded(sold.orderId)).toHaveLength(1)
})

test('twenty times the same refund at once pays once', async () => {
  const sold = await h.paid()
  const request = h.refundOf(sold, 1_000)
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => h.order().refund(i % 2 ? request : { ...request, idempotencyKey: newId() })),
  )
  const refused = answers.flatMap((a) => (a.status === 'rejected' ? [a.reason.code] : []))
  expect(refused.every((code) => code === 'idempotency_key_in_flight')).toBe(true)
  await h.runLater('drive-refunds')
  expect(atProvider(sold.intentId)).toHaveLength(1)
  expect(await refunded(sold.orderId)).toHaveLength(1)
})

test('refunds at the same moment never give back more than was paid', async () => {
  const sold = await h.paid(1_000)
  const answers = await Promise.allSettled(Array.from({ length: 10 }, () => h.order().refund(h.refundOf(sold, 300))))
  expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(3)
  for (const answer of answers)
    if (answer.status === 'rejected')
      expect(answer.reason).toMatchObject({
        status: 'FAILED_PRECONDITION',
        code: 'refund_exceeds_payment',
        details: { refundable: '100' },
      })
  expect(await h.get(sold.orderId)).toMatchObject({ refunded: usd(900) })
})

test('what cannot be refunded is refused and changes nothing', async () => {
  const waiting = await h.waiting()
  await expect(h.order().refund(h.refundOf(waiting, 100))).rejects.toMatchObject({ code: 'payment_not_paid' })
  const sold = await h.paid(1_000)
  const good = h.refundOf(sold, 500)
  const bad: [object, string][] = [
    [{ orderId: newId() }, 'payment_not_found'],
    [{ allocations: [part(500)] }, 'allocation_unbalanced'],
    [{ allocations: [part(400)] }, 'allocation_unbalanced'],
    [{ allocations: [part(500, { vendorOrderId: sold.allocations[0]!.vendorOrderId })] }, 'allocation_unbalanced'],
    [{ amount: { currency: 'EUR', minor: 500n } }, 'allocation_unbalanced'],
    [h.refundOf(sold, 1_001), 'refund_exceeds_payment'],
    [{ refundId: 'x' }, 'request_invalid'],
  ]
  for (const [more, code] of bad)
    await expect(h.order().refund({ ...good, ...more, idempotencyKey: newId() })).rejects.toMatchObject({ code })
  expect((await h.get(sold.orderId)).refunds).toEqual([])
  // A refusal keeps no key: the corrected request may use it.
  expect((await h.order().refund(good)).refund?.status).toBe(RefundStatus.SUCCEEDED)
})

test('staff with the permission may refund; customers may not', async () => {
  const sold = await h.paid()
  await expect(h.as(h.identities.buyer).refund(h.refundOf(sold, 100))).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
  expect((await h.office().refund(h.refundOf(sold, 100))).refund?.status).toBe(RefundStatus.SUCCEEDED)
})

test('refunds the provider does not answer are accepted, survive a restart and are paid exactly once each', async () => {
  h.emulator.faults.pauseWebhooks()
  const asked = []
  for (const kind of ['unavailable', 'rate-limit', 'error-before', 'error-after', 'lost-answer'] as const) {
    const sold = await h.waiting()
    await h.pay(sold.intentId)
    expect(await h.order().voidIntent({ orderId: sold.orderId })).toMatchObject({ outcome: VoidOutcome.ALREADY_PAID })
    if (kind === 'lost-answer') h.loseAnswer('/v1/refunds')
    else h.emulator.faults.api({ kind, path: '/v1/refunds', method: 'POST' })
    const request = h.refundOf(sold, 700)
    const { refund } = await h.order().refund(request)
    expect(refund, kind).toMatchObject({ status: RefundStatus.PENDING, externalRef: '' })
    expect(await h.get(sold.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED, refunded: usd(0) })
    h.clearFaults()
    asked.push({ kind, sold, request })
  }
  await h.service.restart()
  await h.runLater('drive-refunds', 'drive-refunds')
  for (const { kind, request } of asked) {
    const { refund } = await h.order().refund({ ...request, idempotencyKey: newId() })
    expect(refund, kind).toMatchObject({ status: RefundStatus.SUCCEEDED })
  }
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  for (const { kind, sold } of asked) {
    expect(atProvider(sold.intentId), kind).toHaveLength(1)
    expect(await refunded(sold.orderId), kind).toHaveLength(1)
  }
})

test('an answer that never comes: the notification tells that the refund was paid', async () => {
  const sold = await h.paid()
  h.loseAnswer('/v1/refunds')
  await h.order().refund(h.refundOf(sold, 700))
  await h.settle()
  expect((await h.get(sold.orderId)).refunds).toMatchObject([{ status: RefundStatus.SUCCEEDED }])
  expect(await refunded(sold.orderId)).toHaveLength(1)
})

test('a service that dies while the provider works resumes the refund, and pays once', async () => {
  const sold = await h.paid()
  const held = h.emulator.faults.api({ kind: 'hold', path: '/v1/refunds', method: 'POST' })
  const request = h.refundOf(sold, 800)
  const asked = h
    .order()
    .refund(request)
    .catch((error) => error)
  await held.arrived
  // A second instance takes over: the first never hears the answer.
  h.emulator.faults.pauseWebhooks()
  await h.runLater('drive-refunds')
  held.release()
  await asked
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  expect(atProvider(sold.intentId)).toHaveLength(1)
  expect((await h.get(sold.orderId)).refunds).toMatchObject([{ status: RefundStatus.SUCCEEDED }])
  expect(await refunded(sold.orderId)).toHaveLength(1)
})

test('a refund the provider refuses fails for good, says so again, and frees its money', async () => {
  const sold = await h.paid(1_000)
  const charge = h.emulator.state().charges.find((c) => c.payment_intent === sold.intentId && c.paid)!
  h.emulator.openDispute(charge.id)
  const request = h.refundOf(sold, 1_000)
  for (const idempotencyKey of [request.idempotencyKey, request.idempotencyKey, newId()])
    await expect(h.order().refund({ ...request, idempotencyKey })).rejects.toMatchObject({
      status: 'FAILED_PRECONDITION',
      code: 'provider_rejected',
      details: { reason: 'charge_disputed' },
    })
  expect((await h.get(sold.orderId)).refunds).toMatchObject([{ status: RefundStatus.FAILED }])
  expect(await h.get(sold.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED, refunded: usd(0) })
  expect(await refunded(sold.orderId)).toEqual([])
})

test("a refund the customer's bank sends back is turned back in the books, and may be made anew", async () => {
  const vendorId = newId()
  const sold = await h.paid(2_000, { allocations: [part(2_000, { vendorId })] })
  const { refund } = await h.order().refund(h.refundOf(sold, 2_000))
  await h.settle()
  h.emulator.failRefund(refund!.externalRef)
  await h.settle()
  expect(await h.get(sold.orderId)).toMatchObject({
    status: PaymentStatus.SUCCEEDED,
    refunded: usd(0),
    refunds: [{ status: RefundStatus.FAILED }],
  })
  expect((await h.balances()).get(`vendor_payable:${vendorId}`)).toBe(-1_800n)
  await h.office().refund(h.refundOf(sold, 2_000))
  expect(await h.get(sold.orderId)).toMatchObject({ status: PaymentStatus.REFUNDED })
  expect((await h.balances()).get(`vendor_payable:${vendorId}`)).toBe(0n)
})

test('goods that cost the customer nothing are turned back in the books without the provider', async () => {
  const vendorId = newId()
  const free = part(0, { vendorId, discount: 1_000 })
  const request = h.request(0, { allocations: [free] })
  await h.order().createIntent(request)
  const refund = { ...h.refundOf(request, 0), allocations: [free] }
  expect((await h.order().refund(refund)).refund).toMatchObject({ status: RefundStatus.SUCCEEDED, externalRef: '' })
  expect(await h.get(request.orderId)).toMatchObject({ status: PaymentStatus.REFUNDED })
  expect((await h.balances()).get(`vendor_payable:${vendorId}`)).toBe(0n)
  expect(await refunded(request.orderId)).toMatchObject([{ amount: usd(0), full: true }])
})

test('a refund made by hand at the provider is in the books at once, in suspense', async () => {
  const before = (await h.balances()).get('suspense') ?? 0n
  const sold = await h.paid(1_500)
  await h.stripe.refunds.create({ payment_intent: sold.intentId, amount: 400, metadata: { refund_id: 'of nobody' } })
  await h.settle()
  expect((await h.balances()).get('suspense')).toBe(before + 400n)
  expect(await h.get(sold.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED, refunded: usd(0) })
  const { postings } = await h.office().listPostings({ orderId: sold.orderId, account: 'suspense' })
  expect(postings).toMatchObject([{ kind: TransactionKind.ADJUSTMENT, amount: usd(400), reference: sold.paymentId }])
})
