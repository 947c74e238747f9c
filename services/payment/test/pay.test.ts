import { newId } from '@haat/kit/id'
import { PaymentFailed, PaymentIntentCreated, PaymentSucceeded } from '@haat/proto/payment/v1/events'
import { PaymentStatus } from '@haat/proto/payment/v1/payment'
import { customer } from '@haat/testkit/tokens'
import { afterEach, expect, test } from 'vitest'
import { part, startHarness, usd } from './harness.ts'

const h = await startHarness()
afterEach(async () => {
  h.clearFaults()
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  await h.expectBooksToAgree()
})

test('an intent is opened for the order, announced once, and answered again to a repeat', async () => {
  const request = h.request(4_200)
  const first = await h.order().createIntent(request)
  expect(first.payment).toMatchObject({
    orderId: request.orderId,
    status: PaymentStatus.REQUIRES_PAYMENT,
    amount: usd(4_200),
  })
  expect(first.session).toMatchObject({ intentId: first.payment!.intentId, publishableKey: h.emulator.publishableKey })
  const again = await Promise.all(Array.from({ length: 5 }, () => h.order().createIntent(request)))
  for (const answer of again) expect(answer.session).toEqual(first.session)
  const announced = (await h.service.emitted(PaymentIntentCreated)).filter((e) => e.data.orderId === request.orderId)
  expect(announced).toHaveLength(1)
  expect(h.emulator.state().paymentIntents.filter((i) => i.metadata.order_id === request.orderId)).toHaveLength(1)
})

test('many first calls at once make one payment and one intent', async () => {
  const request = h.request(1_000)
  const answers = await Promise.allSettled(Array.from({ length: 12 }, () => h.order().createIntent(request)))
  const intents = answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value.session!.intentId] : []))
  expect(new Set(intents).size).toBe(1)
  const refused = answers.flatMap((a) => (a.status === 'rejected' ? [a.reason.code] : []))
  expect(refused.every((code) => code === 'provider_unavailable')).toBe(true)
  expect(h.emulator.state().paymentIntents.filter((i) => i.metadata.order_id === request.orderId)).toHaveLength(1)
})

test('a paid intent succeeds once: the sale is split to the cent and announced', async () => {
  const [vendorA, vendorB] = [newId(), newId()]
  const allocations = [part(3_000, { vendorId: vendorA, discount: 500, tax: 200 }), part(1_234, { vendorId: vendorB })]
  const before = await h.balances()
  const sold = await h.paid(4_234, { allocations })
  expect(await h.get(sold.orderId)).toMatchObject({
    status: PaymentStatus.SUCCEEDED,
    refunded: usd(0),
    failureCode: '',
  })
  const events = (await h.service.emitted(PaymentSucceeded)).filter((e) => e.data.orderId === sold.orderId)
  expect(events).toHaveLength(1)
  expect(events[0]!.data).toMatchObject({ paymentId: sold.paymentId, amount: usd(4_234), intentId: sold.intentId })
  const after = await h.balances()
  const moved = (account: string) => (after.get(account) ?? 0n) - (before.get(account) ?? 0n)
  expect(moved(`vendor_payable:${vendorA}`)).toBe(-(3_000n + 500n - 200n - 350n))
  expect(moved(`vendor_payable:${vendorB}`)).toBe(-(1_234n - 123n))
  expect(moved('tax_payable')).toBe(-200n)
  expect(moved('commission_revenue')).toBe(-473n)
  expect(moved('platform_promotions')).toBe(500n)
  // 2.9 % + 30, as the provider booked it.
  expect(moved('provider_fees:stripe')).toBe(153n)
  const repeat = await h.order().createIntent({
    orderId: sold.orderId,
    orderNo: sold.orderNo,
    userId: sold.userId,
    provider: sold.provider,
    amount: sold.amount!,
    allocations,
  })
  expect(repeat.payment?.status).toBe(PaymentStatus.SUCCEEDED)
  expect(repeat.session).toBeUndefined()
})

test('a declined card is told, leaves the payment open, and the next card pays it', async () => {
  const waiting = await h.waiting()
  await h.pay(waiting.intentId, 'pm_card_visa_chargeDeclinedInsufficientFunds')
  await h.pay(waiting.intentId, 'pm_card_visa_chargeDeclined')
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({
    status: PaymentStatus.REQUIRES_PAYMENT,
    failureCode: 'card_declined',
  })
  await h.pay(waiting.intentId)
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED, failureCode: '' })
  const failures = (await h.service.emitted(PaymentFailed)).filter((e) => e.data.orderId === waiting.orderId)
  expect(failures.every((e) => !e.data.final)).toBe(true)
  expect(failures.map((e) => e.data.reasonCode)).toContain('card_declined')
  expect(failures.length).toBeLessThanOrEqual(2)
})

test('a check by the bank that the customer fails, then passes', async () => {
  const waiting = await h.waiting()
  await h.pay(waiting.intentId, 'pm_card_authenticationRequired')
  h.emulator.authenticate(waiting.intentId, false)
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ failureCode: 'authentication_failed' })
  await h.pay(waiting.intentId, 'pm_card_authenticationRequired')
  h.emulator.authenticate(waiting.intentId)
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED })
})

test('a bank that decides days later', async () => {
  const waiting = await h.waiting()
  await h.pay(waiting.intentId, 'pm_usBankAccount_processing')
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.PROCESSING })
  h.emulator.finishProcessing(waiting.intentId, false)
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({
    status: PaymentStatus.REQUIRES_PAYMENT,
    failureCode: 'card_declined',
  })
})

test('nothing to pay: the order succeeds at once without the provider, and the coupon pays the vendor', async () => {
  const vendorId = newId()
  const intents = h.emulator.state().paymentIntents.length
  const request = h.request(0, { allocations: [part(0, { vendorId, discount: 1_000 })] })
  const answer = await h.order().createIntent(request)
  expect(answer).toMatchObject({ payment: { status: PaymentStatus.SUCCEEDED, intentId: '' } })
  expect(answer.session).toBeUndefined()
  await h.order().createIntent(request)
  expect(h.emulator.state().paymentIntents).toHaveLength(intents)
  expect((await h.balances()).get(`vendor_payable:${vendorId}`)).toBe(-900n)
  const events = (await h.service.emitted(PaymentSucceeded)).filter((e) => e.data.orderId === request.orderId)
  expect(events).toHaveLength(1)
})

test('allocations that do not add up are refused, and nothing is recorded', async () => {
  const good = part(1_000)
  const bad = [
    { allocations: [good], amount: usd(1_001) },
    { allocations: [good, good], amount: usd(2_000) },
    { allocations: [{ ...good, charged: usd(999) }], amount: usd(999) },
    { allocations: [{ ...good, vendorNet: usd(901) }], amount: usd(1_000) },
    { allocations: [{ ...good, tax: { currency: 'EUR', minor: 0n } }], amount: usd(1_000) },
    { allocations: [{ ...good, goods: usd(-1), shipping: usd(1_001) }], amount: usd(1_000) },
    { allocations: [good], amount: { currency: 'EUR', minor: 1_000n } },
  ]
  for (const more of bad) {
    const request = h.request(1_000, more)
    await expect(h.order().createIntent(request)).rejects.toMatchObject({
      status: 'INVALID_ARGUMENT',
      code: 'allocation_unbalanced',
    })
    await expect(h.get(request.orderId)).rejects.toMatchObject({ code: 'payment_not_found' })
  }
})

test('the same order with another body is refused', async () => {
  const request = h.request(1_000)
  await h.order().createIntent(request)
  const other = { ...request, amount: usd(900), allocations: [part(900)] }
  await expect(h.order().createIntent(other)).rejects.toMatchObject({
    status: 'ALREADY_EXISTS',
    code: 'payment_exists',
  })
})

test('what the provider refuses stays refused, and says why', async () => {
  const request = h.request(10)
  for (let i = 0; i < 2; i++)
    await expect(h.order().createIntent(request)).rejects.toMatchObject({
      status: 'FAILED_PRECONDITION',
      code: 'provider_rejected',
      details: { reason: 'amount_too_small' },
    })
  const odd = h.request(1_000, {
    amount: { currency: 'ZZZ', minor: 0n },
    allocations: [
      Object.fromEntries(
        Object.entries(part(0)).map(([k, v]) => [k, typeof v === 'object' ? { ...v, currency: 'ZZZ' } : v]),
      ) as never,
    ],
  })
  expect((await h.order().createIntent(odd)).payment?.status).toBe(PaymentStatus.SUCCEEDED)
})

test('a provider that does not answer: UNAVAILABLE, and the repeat reaches the same intent', async () => {
  for (const kind of ['unavailable', 'rate-limit', 'reset-before', 'lost-answer', 'error-before'] as const) {
    const request = h.request(2_000)
    if (kind === 'lost-answer') h.loseAnswer('/v1/payment_intents')
    else h.emulator.faults.api({ kind, path: '/v1/payment_intents', method: 'POST', times: 2 })
    await expect(h.order().createIntent(request)).rejects.toMatchObject({
      status: 'UNAVAILABLE',
      code: 'provider_unavailable',
    })
    h.clearFaults()
    const { session } = await h.order().createIntent(request)
    const made = h.emulator.state().paymentIntents.filter((i) => i.metadata.order_id === request.orderId)
    expect(made.map((i) => i.id)).toEqual([session!.intentId])
  }
})

test('an intent whose answer was lost is found by its notification, and one left over is closed', async () => {
  const request = h.request(2_000)
  h.emulator.faults.api({ kind: 'error-after', path: '/v1/payment_intents', method: 'POST' })
  await expect(h.order().createIntent(request)).rejects.toMatchObject({ code: 'provider_unavailable' })
  await h.settle()
  const [made] = h.emulator.state().paymentIntents.filter((i) => i.metadata.order_id === request.orderId)
  expect(await h.get(request.orderId)).toMatchObject({ status: PaymentStatus.REQUIRES_PAYMENT, intentId: made!.id })
  expect((await h.order().createIntent(request)).session?.intentId).toBe(made!.id)

  const other = h.request(2_000)
  h.emulator.faults.pauseWebhooks()
  h.emulator.faults.api({ kind: 'error-after', path: '/v1/payment_intents', method: 'POST' })
  await expect(h.order().createIntent(other)).rejects.toMatchObject({ code: 'provider_unavailable' })
  const { session } = await h.order().createIntent(other)
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  const both = h.emulator.state().paymentIntents.filter((i) => i.metadata.order_id === other.orderId)
  expect(both.filter((i) => i.id !== session!.intentId).map((i) => i.status)).toEqual(['canceled'])
  expect(await h.get(other.orderId)).toMatchObject({
    status: PaymentStatus.REQUIRES_PAYMENT,
    intentId: session!.intentId,
  })
})

test('a session is for the own unpaid order only', async () => {
  const waiting = await h.waiting()
  const buyer = h.as(h.identities.buyer)
  const answer = await buyer.getPaymentSession({ orderId: waiting.orderId })
  expect(answer).toMatchObject({ session: waiting.session, amount: usd(5_000) })
  const stranger = h.as(await customer())
  for (const orderId of [waiting.orderId, newId()])
    await expect(stranger.getPaymentSession({ orderId })).rejects.toMatchObject({
      status: 'NOT_FOUND',
      code: 'payment_not_found',
    })
  await expect(stranger.getPayment({ key: { $case: 'orderId', value: waiting.orderId } })).rejects.toMatchObject({
    code: 'payment_not_found',
  })
  expect((await buyer.getPayment({ key: { $case: 'paymentId', value: waiting.paymentId } })).payment?.id).toBe(
    waiting.paymentId,
  )
  h.emulator.faults.api({ kind: 'unavailable', path: '/v1/payment_intents/*', method: 'GET' })
  await expect(buyer.getPaymentSession({ orderId: waiting.orderId })).rejects.toMatchObject({
    code: 'provider_unavailable',
  })
  await h.pay(waiting.intentId)
  await h.settle()
  await expect(buyer.getPaymentSession({ orderId: waiting.orderId })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'payment_closed',
  })
})

test('only services open payments, and only staff list them', async () => {
  const buyer = h.as(h.identities.buyer)
  await expect(buyer.createIntent(h.request(1_000))).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.anyone().createIntent(h.request(1_000))).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  await expect(buyer.listPayments({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.order().createIntent(h.request(1_000, { orderId: 'x' }))).rejects.toMatchObject({
    code: 'request_invalid',
  })
})

test('payments are listed newest first, filtered, page by page', async () => {
  const userId = newId()
  const orders = []
  for (let i = 0; i < 3; i++) orders.push((await h.waiting(1_000, { userId })).orderId)
  const first = await h.office().listPayments({ userId, pageSize: 2 })
  expect(first.payments.map((p) => p.orderId)).toEqual([orders[2], orders[1]])
  const second = await h.office().listPayments({ userId, pageSize: 2, pageToken: first.nextPageToken })
  expect(second).toMatchObject({ payments: [{ orderId: orders[0] }], nextPageToken: '' })
  const paid = await h.office().listPayments({ userId, status: PaymentStatus.SUCCEEDED })
  expect(paid.payments).toEqual([])
  await expect(h.office().listPayments({ pageToken: 'nonsense' })).rejects.toMatchObject({ code: 'page_token_invalid' })
})
