import { newId } from '@haat/kit/id'
import { PaymentDisputed, PaymentFailed, PaymentSucceeded } from '@haat/proto/payment/v1/events'
import { PaymentProvider, PaymentStatus } from '@haat/proto/payment/v1/payment'
import { signWebhook } from '@haat/stripe-emulator/webhooks/sign-webhook'
import { afterEach, expect, test } from 'vitest'
import { PREVIOUS_SECRET, SECRET, startHarness, usd } from './harness.ts'

const h = await startHarness()
afterEach(async () => {
  h.clearFaults()
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  await h.expectBooksToAgree()
})

const { nowSeconds } = h
const send = (body: string, signature: string) =>
  h.anyone().handleWebhook({ provider: PaymentProvider.STRIPE, payload: Buffer.from(body), signature })
const eventBody = (type: string, id: string, more: object = {}) =>
  JSON.stringify({
    id: `evt_${newId()}`,
    object: 'event',
    type,
    created: nowSeconds(),
    data: { object: { id } },
    ...more,
  })
const succeeded = async (orderId: string) =>
  (await h.service.emitted(PaymentSucceeded)).filter((e) => e.data.orderId === orderId)

test('a signature must fit the body, one of the two secrets, and one time that is about now', async () => {
  const body = eventBody('customer.created', 'cus_1')
  for (const secret of [SECRET, PREVIOUS_SECRET])
    for (const age of [-290, 0, 290]) await send(body, signWebhook(body, secret, nowSeconds() - age))
  const refused: [string, string][] = [
    [body, signWebhook(body, 'whsec_other', nowSeconds())],
    [`${body} `, signWebhook(body, SECRET, nowSeconds())],
    [body, signWebhook(body, SECRET, nowSeconds() - 310)],
    [body, signWebhook(body, SECRET, nowSeconds() + 310)],
    [body, signWebhook(body, SECRET, nowSeconds() + 3_600)],
    [body, signWebhook(body, SECRET, Number.NaN)],
    [body, `t=${nowSeconds()},${signWebhook(body, SECRET, nowSeconds() + 3_600)}`],
    [body, 'nonsense'],
    [body, `t=${nowSeconds()},v1=`],
  ]
  for (const [text, signature] of refused)
    await expect(send(text, signature)).rejects.toMatchObject({
      status: 'UNAUTHENTICATED',
      code: 'webhook_signature_invalid',
    })
})

test('a signed body that is no event is malformed, and is not kept', async () => {
  const before = (await h.rows('webhook_events', 'event_id')).length
  for (const body of ['{', '[]', '{"id":"evt_1"}', '{"id":"evt_1","type":"a.b","data":{}}', 'null'])
    await expect(send(body, signWebhook(body, SECRET, nowSeconds()))).rejects.toMatchObject({
      status: 'INVALID_ARGUMENT',
      code: 'webhook_malformed',
    })
  expect(await h.rows('webhook_events', 'event_id')).toHaveLength(before)
})

test('a replay is told from a first delivery, and does nothing', async () => {
  const sold = await h.paid()
  const event = h.emulator
    .state()
    .events.find((e) => e.type === 'payment_intent.succeeded' && e.data.object.id === sold.intentId)!
  const body = JSON.stringify(event)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => send(body, signWebhook(body, SECRET, nowSeconds()))),
  )
  expect(answers.every((answer) => answer.duplicate)).toBe(true)
  expect(await succeeded(sold.orderId)).toHaveLength(1)
})

test('a signed lie changes nothing: what counts is what the provider answers', async () => {
  const waiting = await h.waiting()
  const lie = eventBody('payment_intent.succeeded', waiting.intentId)
  expect(await send(lie, signWebhook(lie, SECRET, nowSeconds()))).toEqual({ duplicate: false })
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.REQUIRES_PAYMENT })
  for (const body of [
    eventBody('payment_intent.succeeded', 'pi_unknown'),
    eventBody('refund.updated', 're_unknown'),
    eventBody('transfer.reversed', 'tr_unknown'),
    eventBody('charge.dispute.created', 'du_unknown'),
    eventBody('payment_intent.succeeded', waiting.intentId, { account: 'acct_other' }),
  ])
    expect(await send(body, signWebhook(body, SECRET, nowSeconds()))).toEqual({ duplicate: false })
  const events = await h.rows<{ status: string; subject_id: string }>('webhook_events', 'event_id')
  expect(events.filter((e) => e.subject_id.endsWith('_unknown')).map((e) => e.status)).toEqual(Array(4).fill('ignored'))
})

test('notifications that lie about the amount change nothing', async () => {
  h.emulator.faults.webhooks({ kind: 'wrong-amount', count: 10, deltaMinor: 100 })
  const sold = await h.paid(3_000)
  expect(await h.get(sold.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED, amount: usd(3_000) })
})

test('money of another amount than asked goes to suspense, for a person to decide', async () => {
  const waiting = await h.waiting(3_000)
  await h.stripe.paymentIntents.update(waiting.intentId, { amount: 2_900 })
  await h.pay(waiting.intentId)
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({
    status: PaymentStatus.UNDER_REVIEW,
    failureCode: 'amount_mismatch',
  })
  const failed = (await h.service.emitted(PaymentFailed)).filter((e) => e.data.orderId === waiting.orderId)
  expect(failed.map((e) => e.data)).toMatchObject([{ reasonCode: 'amount_mismatch', final: true }])
  expect(await succeeded(waiting.orderId)).toEqual([])
  expect((await h.balances()).get('suspense')).toBe(-2_900n)
  // A person gives it back at the provider's dashboard.
  await h.stripe.refunds.create({ payment_intent: waiting.intentId })
  await h.settle()
  expect((await h.balances()).get('suspense')).toBe(0n)
})

test.each(['double', 'reorder'] as const)('%sd notifications end in the same state', async (kind) => {
  const waiting = await h.waiting()
  h.emulator.faults.webhooks({ kind, count: 6 })
  await h.pay(waiting.intentId, 'pm_card_visa_chargeDeclined')
  await h.pay(waiting.intentId)
  await h.stripe.refunds.create({ payment_intent: waiting.intentId, amount: 100 })
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED })
  expect(await succeeded(waiting.orderId)).toHaveLength(1)
})

test('every order of the same notifications, each twice, ends in the same books', async () => {
  h.emulator.faults.pauseWebhooks()
  const orders = []
  for (let i = 0; i < 6; i++) {
    const waiting = await h.waiting(1_000)
    await h.pay(waiting.intentId, 'pm_card_visa_chargeDeclined')
    await h.pay(waiting.intentId)
    orders.push(waiting)
  }
  const permutations = (list: string[]): string[][] =>
    list.length < 2
      ? [list]
      : list.flatMap((one, i) => permutations(list.filter((_, j) => j !== i)).map((rest) => [one, ...rest]))
  const all = permutations(['payment_intent.created', 'payment_intent.payment_failed', 'payment_intent.succeeded'])
  for (const [i, order] of orders.entries()) {
    const events = h.emulator.state().events.filter((e) => e.data.object.id === order.intentId)
    for (const type of all[i]!) {
      const body = JSON.stringify(events.find((e) => e.type === type))
      const signature = () => signWebhook(body, SECRET, nowSeconds())
      await Promise.all([send(body, signature()), send(body, signature())])
    }
    expect(await h.get(order.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED })
    expect(await succeeded(order.orderId)).toHaveLength(1)
  }
})

test('a payment whose notifications are all lost is found by asking about it', async () => {
  h.emulator.faults.webhooks({ kind: 'lose', count: 20 })
  const waiting = await h.waiting()
  await h.pay(waiting.intentId)
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.REQUIRES_PAYMENT })
  await h.service.service.runJob('reconcile-intents')
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.REQUIRES_PAYMENT })
  await h.runLater('reconcile-intents')
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED })
  expect(await succeeded(waiting.orderId)).toHaveLength(1)
})

test('lost notifications that nobody waits for are read from the provider, and the late originals are duplicates', async () => {
  const before = (await h.balances()).get('suspense') ?? 0n
  const sold = await h.paid(2_000)
  h.emulator.faults.pauseWebhooks()
  const charge = h.emulator.state().charges.find((c) => c.payment_intent === sold.intentId && c.paid)!
  h.emulator.openDispute(charge.id)
  await h.fetchMissed()
  expect((await h.balances()).get('suspense')).toBe(before + 2_000n)
  h.emulator.faults.resumeWebhooks()
  await h.settle()
  const disputed = (await h.service.emitted(PaymentDisputed)).filter((e) => e.data.orderId === sold.orderId)
  expect(disputed.map((e) => e.data)).toMatchObject([{ amount: usd(2_000), reasonCode: 'fraudulent' }])
})

test('a chargeback that is won brings the money back; its fee stays', async () => {
  const before = (await h.balances()).get('suspense') ?? 0n
  const sold = await h.paid(2_500)
  const charge = h.emulator.state().charges.find((c) => c.payment_intent === sold.intentId && c.paid)!
  const dispute = h.emulator.openDispute(charge.id)
  await h.settle()
  expect((await h.balances()).get('suspense')).toBe(before + 2_500n)
  h.emulator.closeDispute(dispute.id, 'won')
  await h.settle()
  expect((await h.balances()).get('suspense')).toBe(before)
})

test('a notification that cannot be acted on now is kept, answered and acted on later', async () => {
  const waiting = await h.waiting()
  h.emulator.faults.api({ kind: 'unavailable', path: '/v1/payment_intents/*', method: 'GET', times: 50 })
  await h.pay(waiting.intentId)
  await h.settle()
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.REQUIRES_PAYMENT })
  h.clearFaults()
  await h.service.restart()
  await h.runLater('retry-notices')
  expect(await h.get(waiting.orderId)).toMatchObject({ status: PaymentStatus.SUCCEEDED })
  const events = await h.rows<{ status: string }>('webhook_events', 'event_id')
  expect(events.filter((e) => e.status === 'received')).toEqual([])
})
