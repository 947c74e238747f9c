import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PaymentState } from '../db/schema.ts'
import { nextAttempt } from './back-off.ts'
import { paymentFailureCode, payoutFailureCode } from './failure-code.ts'
import { type IntentState, isSettled, judge, refundedState, type Verdict } from './settlement.ts'

const amount = { currency: 'USD', minor: 1_000n }
const after: Record<Exclude<Verdict, 'none'>, PaymentState> = {
  wait: 'requires_payment',
  process: 'processing',
  pay: 'succeeded',
  review: 'under_review',
  void: 'voided',
  expire: 'failed',
}
const step = (
  status: PaymentState,
  seen: { status: IntentState; received: bigint },
  voidRequested = false,
): PaymentState => {
  const received = { currency: 'USD', minor: seen.received }
  const verdict = judge({ status, amount, voidRequested }, { status: seen.status, received })
  return verdict === 'none' ? status : after[verdict]
}
const seen = fc.record({
  status: fc.constantFrom<IntentState>('waiting', 'processing', 'succeeded', 'cancelled'),
  received: fc.constantFrom(0n, 999n, 1_000n),
})

test('whatever was seen before, money that has arrived decides, and it never leaves again', () => {
  fc.assert(
    fc.property(
      fc.array(seen, { maxLength: 12 }),
      fc.array(seen, { maxLength: 12 }),
      fc.boolean(),
      (before, later, isVoid) => {
        const unpaid = before.filter((one) => one.status !== 'succeeded')
        const start = unpaid.reduce<PaymentState>((status, one) => step(status, one, isVoid), 'requires_payment')
        expect(isSettled(start)).toBe(false)
        const paid = step(start, { status: 'succeeded', received: 1_000n }, isVoid)
        expect(paid).toBe('succeeded')
        expect(later.reduce<PaymentState>((status, one) => step(status, one, isVoid), paid)).toBe('succeeded')
        expect(step(start, { status: 'succeeded', received: 999n }, isVoid)).toBe('under_review')
      },
    ),
  )
})

test('the same state told twice changes nothing the second time', () => {
  fc.assert(
    fc.property(fc.array(seen, { maxLength: 12 }), seen, fc.boolean(), (before, last, isVoid) => {
      const once = step(
        before.reduce<PaymentState>((status, one) => step(status, one, isVoid), 'requires_payment'),
        last,
        isVoid,
      )
      expect(step(once, last, isVoid)).toBe(once)
    }),
  )
})

test('another currency is another amount', () => {
  const intent = { status: 'succeeded' as const, received: { currency: 'EUR', minor: 1_000n } }
  expect(judge({ status: 'requires_payment', amount, voidRequested: false }, intent)).toBe('review')
})

test.each([
  [{ amount: 100n, refunded: 0n, grossSold: 100n, grossBack: 0n }, 'succeeded'],
  [{ amount: 100n, refunded: 0n, grossSold: 150n, grossBack: 50n }, 'partially_refunded'],
  [{ amount: 100n, refunded: 40n, grossSold: 100n, grossBack: 40n }, 'partially_refunded'],
  [{ amount: 100n, refunded: 100n, grossSold: 150n, grossBack: 100n }, 'refunded'],
  [{ amount: 0n, refunded: 0n, grossSold: 50n, grossBack: 20n }, 'partially_refunded'],
  [{ amount: 0n, refunded: 0n, grossSold: 50n, grossBack: 50n }, 'refunded'],
])('after refunds %o is %s', (payment, state) => {
  expect(refundedState(payment)).toBe(state)
})

test('attempts come ever more rarely, at last once an hour', () => {
  const now = new Date(0)
  const seconds = [1, 2, 3, 4, 50, 1_000].map((attempts) => nextAttempt(now, attempts, 10).getTime() / 1000)
  expect(seconds).toEqual([10, 20, 40, 80, 3_600, 3_600])
})

test("the provider's many reasons become the contract's few", () => {
  expect(paymentFailureCode({ type: 'card_error', code: 'card_declined', declineCode: 'insufficient_funds' })).toBe(
    'insufficient_funds',
  )
  expect(paymentFailureCode({ type: 'card_error', code: 'expired_card' })).toBe('card_declined')
  expect(paymentFailureCode({ type: 'card_error', code: 'payment_intent_authentication_failure' })).toBe(
    'authentication_failed',
  )
  expect(paymentFailureCode({ type: 'api_error' })).toBe('provider_error')
  expect(payoutFailureCode('balance_insufficient')).toBe('balance_insufficient')
  expect(payoutFailureCode('resource_missing')).toBe('account_invalid')
  expect(payoutFailureCode('parameter_invalid')).toBe('provider_rejected')
})
