import { newId } from '@haat/kit/id'
import { OrderCancelled } from '@haat/proto/order/v1/events'
import { CancelReason } from '@haat/proto/order/v1/order'
import { PaymentFailed, PaymentSucceeded } from '@haat/proto/payment/v1/events'
import { PaymentStatus, VoidOutcome } from '@haat/proto/payment/v1/payment'
import { eventually } from '@haat/testkit/eventually'
import { afterEach, expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
afterEach(async () => {
  h.clearFaults()
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  await h.expectBooksToAgree()
})

const failures = async (orderId: string) =>
  (await h.service.emitted(PaymentFailed)).filter((e) => e.data.orderId === orderId).map((e) => e.data)

test('an unpaid payment is closed once, at the provider too, and cannot be paid or opened again', async () => {
  const waiting = await h.waiting()
  for (let i = 0; i < 3; i++)
    expect(await h.order().voidIntent({ orderId: waiting.orderId })).toMatchObject({
      outcome: VoidOutcome.VOIDED,
      payment: { status: PaymentStatus.VOIDED },
    })
  await h.settle()
  expect(await failures(waiting.orderId)).toMatchObject([{ reasonCode: 'voided', final: true }])
  expect((await h.stripe.paymentIntents.retrieve(waiting.intentId)).status).toBe('canceled')
  await expect(h.order().createIntent(waiting)).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'payment_voided',
  })
})

test('an order without a payment can get none after it is voided', async () => {
  const request = h.request(1_000)
  for (let i = 0; i < 2; i++)
    expect(await h.order().voidIntent({ orderId: request.orderId })).toEqual({
      outcome: VoidOutcome.NOTHING_TO_VOID,
      payment: undefined,
    })
  await expect(h.order().createIntent(request)).rejects.toMatchObject({ code: 'payment_voided' })
})

test('a paid order is not voided', async () => {
  const sold = await h.paid()
  expect(await h.order().voidIntent({ orderId: sold.orderId })).toMatchObject({ outcome: VoidOutcome.ALREADY_PAID })
})

test('a customer who paid before we heard of it wins against the void', async () => {
  const waiting = await h.waiting()
  h.emulator.faults.pauseWebhooks()
  await h.pay(waiting.intentId)
  expect(await h.order().voidIntent({ orderId: waiting.orderId })).toMatchObject({
    outcome: VoidOutcome.ALREADY_PAID,
    payment: { status: PaymentStatus.SUCCEEDED },
  })
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  expect(await failures(waiting.orderId)).toEqual([])
  expect((await h.service.emitted(PaymentSucceeded)).filter((e) => e.data.orderId === waiting.orderId)).toHaveLength(1)
})

test('paying and voiding at the same moment: exactly one of them happened, for us and for the provider', async () => {
  for (let i = 0; i < 8; i++) {
    const waiting = await h.waiting(1_000)
    const [, voided] = await Promise.all([h.pay(waiting.intentId), h.order().voidIntent({ orderId: waiting.orderId })])
    await h.settle()
    const { status } = await h.stripe.paymentIntents.retrieve(waiting.intentId)
    const isPaid = status === 'succeeded'
    expect(voided.outcome).toBe(isPaid ? VoidOutcome.ALREADY_PAID : VoidOutcome.VOIDED)
    expect((await h.get(waiting.orderId)).status).toBe(isPaid ? PaymentStatus.SUCCEEDED : PaymentStatus.VOIDED)
  }
})

test('opening and voiding at the same moment: nobody can pay what is void', async () => {
  for (let i = 0; i < 8; i++) {
    const request = h.request(1_000)
    const [opened, voided] = await Promise.allSettled([
      h.order().createIntent(request),
      h.order().voidIntent({ orderId: request.orderId }),
    ])
    expect(voided.status).toBe('fulfilled')
    await h.settle()
    if (opened.status === 'rejected') expect(opened.reason.code).toBe('payment_voided')
    const live = h.emulator
      .state()
      .paymentIntents.filter((p) => p.metadata.order_id === request.orderId && p.status !== 'canceled')
    expect(live).toEqual([])
  }
})

test('a void the provider does not answer is UNAVAILABLE, withdraws the session and is carried out later', async () => {
  const waiting = await h.waiting()
  h.emulator.faults.api({ kind: 'error-before', path: '/v1/payment_intents/*/cancel' })
  await expect(h.order().voidIntent({ orderId: waiting.orderId })).rejects.toMatchObject({
    code: 'provider_unavailable',
  })
  const session = h.as(h.identities.buyer).getPaymentSession({ orderId: waiting.orderId })
  await expect(session).rejects.toMatchObject({ code: 'payment_closed' })
  await h.service.restart()
  await h.runLater('reconcile-intents')
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.VOIDED })
})

test('a void whose answer was lost is told by its notification', async () => {
  const waiting = await h.waiting()
  h.loseAnswer('/v1/payment_intents/*/cancel')
  await expect(h.order().voidIntent({ orderId: waiting.orderId })).rejects.toMatchObject({
    code: 'provider_unavailable',
  })
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.VOIDED })
  expect(await failures(waiting.orderId)).toMatchObject([{ reasonCode: 'voided', final: true }])
})

test('an intent that somebody closes at the provider has expired', async () => {
  const waiting = await h.waiting()
  await h.stripe.paymentIntents.cancel(waiting.intentId)
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.FAILED, failureCode: 'expired' })
  expect(await failures(waiting.orderId)).toMatchObject([{ reasonCode: 'expired', final: true }])
  expect(await h.order().voidIntent({ orderId: waiting.orderId })).toMatchObject({ outcome: VoidOutcome.VOIDED })
})

test('order.cancelled voids what is unpaid, refunds nothing that is paid, and may come twice', async () => {
  const cancelled = (orderId: string) => ({
    orderId,
    orderNo: 'HAAT-1',
    userId: h.identities.buyer.userId,
    email: '',
    reason: CancelReason.CUSTOMER_REQUEST,
    note: '',
    wasPaid: false,
    lines: [],
    byUserId: '',
    cancelledAt: new Date(),
  })
  const [waiting, sold] = [await h.waiting(), await h.paid()]
  const envelope = await h.service.publish(OrderCancelled, cancelled(waiting.orderId))
  await h.service.publishRaw(envelope)
  await h.service.publish(OrderCancelled, cancelled(sold.orderId))
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.VOIDED })
  expect(await h.get(sold.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED })
  expect(await failures(waiting.orderId)).toHaveLength(1)

  const later = await h.waiting()
  h.emulator.faults.api({ kind: 'unavailable', path: '/v1/payment_intents/*/cancel' })
  await h.service.publish(OrderCancelled, cancelled(later.orderId))
  await h.runLater('reconcile-intents')
  await eventually(async () => expect(await h.get(later.orderId)).toMatchObject({ status: PaymentStatus.VOIDED }))
})

test('only services void', async () => {
  await expect(h.as(h.identities.buyer).voidIntent({ orderId: newId() })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})
