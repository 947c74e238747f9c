import { AppError } from '@haat/kit/errors'
import type { Money } from '@haat/money/money'
import type { IntentState } from '../domain/settlement.ts'

/** One movement of money on the platform's account at the provider, without and beside its fee. */
export type Movement = { id: string; amount: Money; fee: Money }

export type ProviderIntent = {
  id: string
  /** Our payment, as we noted it there. */
  paymentId: string | undefined
  status: IntentState
  /** What has arrived so far. */
  received: Money
  clientSecret: string
  /** The last attempt, if the provider refused it; `ref` is the same however often it is told. */
  failure: { ref: string; code: string } | undefined
  /** The attempt that paid. */
  charge: { ref: string; at: Date } | undefined
  /** Unknown until the provider has booked it. */
  movement: Movement | undefined
  /** For people who look into the database; without secrets and personal data. */
  snapshot: object
}

export type ProviderRefund = {
  id: string
  /** Ours; undefined for a refund somebody made at the provider by hand. */
  refundId: string | undefined
  intentId: string
  status: 'pending' | 'succeeded' | 'failed'
  amount: Money
  failureCode: string
  movements: Movement[]
  snapshot: object
}

export type ProviderTransfer = {
  id: string
  payoutId: string | undefined
  amount: Money
  /** How much of it came back. */
  reversed: Money
  snapshot: object
}

export type ProviderDispute = {
  id: string
  intentId: string
  amount: Money
  reason: string
  status: string
  openedAt: Date
  movements: Movement[]
}

/** What a notification is about; its state is asked for, never read from the notification. */
export type Notice = {
  eventId: string
  type: string
  /** By the provider's clock. */
  at: Date
  subject: { kind: 'intent' | 'refund' | 'dispute' | 'transfer' | 'other'; id: string }
}

/**
 * The provider cannot say yes: UNAVAILABLE `provider_unavailable` when the outcome is unknown or may be another later,
 * FAILED_PRECONDITION `provider_rejected` when it refused for good.
 */
export class ProviderFailure extends AppError {
  readonly reason: string
  /** The provider keeps this failure under the request's idempotency key: a repeat needs another one. */
  readonly isKeySpent: boolean

  constructor(
    kind: 'unavailable' | 'rejected',
    reason: string,
    options: { isKeySpent?: boolean; cause?: unknown } = {},
  ) {
    if (kind === 'unavailable')
      super('UNAVAILABLE', 'provider_unavailable', 'the payment provider does not answer', {}, options.cause)
    else super('FAILED_PRECONDITION', 'provider_rejected', 'the payment provider refused', { reason }, options.cause)
    this.reason = reason
    this.isKeySpent = options.isKeySpent ?? false
  }

  get isRejection(): boolean {
    return this.status === 'FAILED_PRECONDITION'
  }
}

/**
 * A payment provider. Every writing call is told by our own id and generation what it is, so that a repeat has the first
 * one's effect. Reads answer undefined for what does not exist. All throw ProviderFailure.
 */
export type Provider = {
  name: 'stripe'
  payoutMethod: string
  publishableKey: string
  createIntent(request: {
    paymentId: string
    orderId: string
    orderNo: string
    amount: Money
    generation: number
  }): Promise<ProviderIntent>
  getIntent(intentId: string): Promise<ProviderIntent | undefined>
  /** Closes an unpaid intent and answers what became of it; one that is paid or closed already stays so. */
  cancelIntent(request: { intentId: string; generation: number }): Promise<ProviderIntent | undefined>
  createRefund(request: {
    refundId: string
    intentId: string
    amount: Money
    generation: number
  }): Promise<ProviderRefund>
  getRefund(id: string): Promise<ProviderRefund | undefined>
  /** The refund that carries our id, whichever request made it. */
  findRefund(request: { refundId: string; intentId: string }): Promise<ProviderRefund | undefined>
  createAccount(request: { vendorId: string; country: string }): Promise<string>
  createTransfer(request: {
    payoutId: string
    vendorId: string
    destination: string
    amount: Money
    generation: number
  }): Promise<ProviderTransfer>
  getTransfer(id: string): Promise<ProviderTransfer | undefined>
  findTransfer(request: { payoutId: string }): Promise<ProviderTransfer | undefined>
  getDispute(id: string): Promise<ProviderDispute | undefined>
  /** What the provider has told since then, whether or not it reached us. */
  listNotices(since: Date): AsyncIterable<Notice>
  /** Verifies a notification; UNAUTHENTICATED `webhook_signature_invalid`, INVALID_ARGUMENT `webhook_malformed`. */
  readNotice(payload: Uint8Array, signature: string, now: Date): Notice
}
