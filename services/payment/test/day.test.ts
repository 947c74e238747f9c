import { newId } from '@haat/kit/id'
import { PaymentRefunded, PaymentSucceeded, PayoutProcessed } from '@haat/proto/payment/v1/events'
import { PaymentProvider, PaymentStatus } from '@haat/proto/payment/v1/payment'
import type { ApiFaultKind } from '@haat/stripe-emulator/http/api-faults'
import { expect, test } from 'vitest'
import { part, startHarness, usd } from './harness.ts'

/** The provider has booked nothing yet when it says that a payment succeeded. */
let areFeesLate = false
const h = await startHarness({
  wrap: (provider) => ({
    ...provider,
    async getIntent(id) {
      const intent = await provider.getIntent(id)
      return intent && areFeesLate ? { ...intent, movement: undefined } : intent
    },
  }),
})

test('a fee the provider books later is posted once it is known', async () => {
  areFeesLate = true
  await h.paid(4_000)
  expect((await h.balances()).get('provider_fees:stripe')).toBeUndefined()
  await h.runLater('reconcile-intents')
  areFeesLate = false
  await h.runLater('reconcile-intents')
  expect((await h.balances()).get('provider_fees:stripe')).toBe(146n)
  await h.expectBooksToAgree()
})

/** A small generator, so that a failing day can be repeated by its seed. */
function randomFrom(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('a day of orders, refunds and payouts over a provider that fails at random: every cent is accounted for, once', async () => {
  const seed = Number(process.env.DAY_SEED ?? Math.floor(Math.random() * 1e9))
  const random = randomFrom(seed)
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const vendors = [newId(), newId(), newId()]
  const kinds: ApiFaultKind[] = [
    'unavailable',
    'rate-limit',
    'error-before',
    'error-after',
    'reset-before',
    'reset-after',
  ]
  const fail = () => {
    if (random(3) === 0) h.emulator.faults.api({ kind: pick(kinds), path: '/v1/*', times: 1 + random(2) })
    const webhooks = random(6)
    if (webhooks === 0) h.emulator.faults.webhooks({ kind: 'lose', count: 1 + random(3) })
    if (webhooks === 1) h.emulator.faults.webhooks({ kind: 'double', count: 1 + random(3) })
    if (webhooks === 2) h.emulator.faults.webhooks({ kind: 'reorder', count: 2 + random(3) })
  }
  const ignore = () => undefined
  const orders: string[] = []
  const refunds: string[] = []
  const payouts: string[] = []
  const customer = async () => {
    for (let i = 0; i < 6; i++) {
      fail()
      const amounts = [500 + random(9_000), 500 + random(9_000)]
      const allocations = amounts.map((minor) =>
        part(minor, { vendorId: pick(vendors), discount: random(300), tax: random(80) }),
      )
      const request = h.request(amounts[0]! + amounts[1]!, { allocations })
      orders.push(request.orderId)
      await h.order().createIntent(request).catch(ignore)
      const opened = await h.order().createIntent(request).catch(ignore)
      const intentId = opened?.session?.intentId
      if (intentId && random(4) === 0) await h.pay(intentId, 'pm_card_visa_chargeDeclined')
      const paying = intentId && random(5) > 0 ? h.pay(intentId) : undefined
      if (random(4) === 0) await h.order().voidIntent({ orderId: request.orderId }).catch(ignore)
      await paying
      for (let back = random(3); back > 0; back--) {
        const [sold] = allocations
        const charged = 1 + random(Number(sold!.charged.minor))
        const refund = h.refundOf({ ...request, allocations: [sold!] }, charged)
        refunds.push(refund.refundId)
        await h.order().refund(refund).catch(ignore)
        if (random(2) === 0) await h.order().refund(refund).catch(ignore)
      }
      if (random(3) === 0) {
        const payoutId = newId()
        payouts.push(payoutId)
        const request = { payoutId, vendorId: pick(vendors), amount: usd(1 + random(2_000)), destination: '' }
        await h
          .order()
          .executePayout({ ...request, provider: PaymentProvider.STRIPE })
          .catch(ignore)
      }
      if (random(4) === 0)
        await h.runLater(pick(['reconcile-intents', 'drive-refunds', 'drive-payouts', 'retry-notices']))
    }
  }
  await Promise.all([customer(), customer(), customer()])
  h.clearFaults()
  await h.settle()
  for (let i = 0; i < 3; i++) {
    await h.fetchMissed()
    await h.runLater('retry-notices', 'reconcile-intents', 'drive-refunds', 'drive-payouts')
  }

  await h.expectBooksToAgree()
  const { suspense } = Object.fromEntries(await h.balances())
  expect(suspense ?? 0n, `seed ${seed}`).toBe(0n)
  const state = h.emulator.state()
  const succeeded = await h.service.emitted(PaymentSucceeded)
  for (const orderId of orders) {
    const payment = await h.get(orderId).catch(ignore)
    const paid = state.paymentIntents.filter(
      (intent) => intent.metadata.order_id === orderId && intent.status === 'succeeded',
    )
    const events = succeeded.filter((event) => event.data.orderId === orderId)
    expect([paid.length, events.length], `seed ${seed}`).toEqual(payment?.paidAt ? [1, 1] : [0, 0])
    const back = state.refunds.filter((refund) => refund.payment_intent === payment?.intentId)
    expect(payment?.refunded?.minor ?? 0n, `seed ${seed}`).toBe(
      BigInt(back.reduce((sum, { amount }) => sum + amount, 0)),
    )
    expect(payment?.status, `seed ${seed}`).not.toBe(PaymentStatus.UNDER_REVIEW)
  }
  for (const [ids, rows, events] of [
    [refunds, state.refunds, (await h.service.emitted(PaymentRefunded)).map((e) => e.data.refundId)],
    [payouts, state.transfers, (await h.service.emitted(PayoutProcessed)).map((e) => e.data.payoutId)],
  ] as const)
    for (const id of ids) {
      const made = rows.filter(({ metadata }) => Object.values(metadata).includes(id)).length
      expect([made, events.filter((one) => one === id).length], `seed ${seed}`).toEqual(made ? [1, 1] : [0, 0])
    }
}, 60_000)
