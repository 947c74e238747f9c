import type { Money } from '@haat/money/money'
import type { PaymentState } from '../db/schema.ts'

/** What the provider says of an intent, in our words. */
export type IntentState = 'waiting' | 'processing' | 'succeeded' | 'cancelled'

/** What follows for the payment from what the provider says now. */
export type Verdict = 'none' | 'wait' | 'process' | 'pay' | 'review' | 'void' | 'expire'

/** Money that has arrived: nothing the provider says of the intent changes these any more. */
const settled: readonly PaymentState[] = ['succeeded', 'partially_refunded', 'refunded', 'under_review']
const closed: readonly PaymentState[] = ['failed', 'voided']

export const isSettled = (status: PaymentState): boolean => settled.includes(status)
export const isClosed = (status: PaymentState): boolean => closed.includes(status)
export const isOpen = (status: PaymentState): boolean => status === 'requires_payment' || status === 'processing'

/**
 * Judges a payment by the provider's present state only, so that notifications may come in any order, twice or never. Money
 * that has moved always counts, even for a payment that was closed before.
 */
export function judge(
  payment: { status: PaymentState; amount: Money; voidRequested: boolean },
  intent: { status: IntentState; received: Money },
): Verdict {
  if (isSettled(payment.status)) return 'none'
  if (intent.status === 'succeeded') {
    const { amount } = payment
    return intent.received.currency === amount.currency && intent.received.minor === amount.minor ? 'pay' : 'review'
  }
  if (isClosed(payment.status)) return 'none'
  if (intent.status === 'cancelled') return payment.voidRequested ? 'void' : 'expire'
  if (intent.status === 'processing') return payment.status === 'processing' ? 'none' : 'process'
  return payment.status === 'requires_payment' ? 'none' : 'wait'
}

/** The state of a paid payment after refunds. */
export function refundedState(payment: {
  amount: bigint
  refunded: bigint
  grossSold: bigint
  grossBack: bigint
}): PaymentState {
  const full = payment.amount > 0n ? payment.refunded >= payment.amount : payment.grossBack >= payment.grossSold
  if (full) return 'refunded'
  return payment.refunded > 0n || payment.grossBack > 0n ? 'partially_refunded' : 'succeeded'
}
