import http from 'node:http'
import https from 'node:https'
import { currentCall } from '@haat/kit/call'
import { invalid, unauthenticated } from '@haat/kit/errors'
import type { Money } from '@haat/money/money'
import Stripe from 'stripe'
import { paymentFailureCode } from '../domain/failure-code.ts'
import type { IntentState } from '../domain/settlement.ts'
import { NOTICE_TYPES } from './notice-types.ts'
import {
  type Movement,
  type Notice,
  type Provider,
  type ProviderDispute,
  ProviderFailure,
  type ProviderIntent,
  type ProviderRefund,
  type ProviderTransfer,
} from './provider.ts'
import { fromStripeAmount, toStripeAmount } from './stripe-amount.ts'
import { isMissing, toFailure } from './stripe-failure.ts'

/** The version the shapes below are written for; the account's own default never applies. */
const API_VERSION = '2026-10-28.endive'
const TOLERANCE_SECONDS = 300
/** Kept back of a caller's deadline for our own work after the answer. */
const RESERVE_MS = 250

type Options = {
  secretKey: string
  publishableKey: string
  apiUrl: string
  timeoutMs: number
  /** The current one first. */
  webhookSecrets: string[]
}

/** Stripe behind the provider interface, through the official SDK. */
export function createStripe(options: Options): { provider: Provider; close(): void } {
  const url = new URL(options.apiUrl)
  const isPlain = url.protocol === 'http:'
  const agent = isPlain ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true })
  const stripe = new Stripe(options.secretKey, {
    apiVersion: API_VERSION,
    host: url.hostname,
    port: url.port || (isPlain ? 80 : 443),
    protocol: isPlain ? 'http' : 'https',
    httpAgent: agent,
    maxNetworkRetries: 0,
    telemetry: false,
  })

  /** Waits no longer than the caller does. */
  const limited = () => {
    const call = currentCall()
    const timeout = Math.floor(Math.min(options.timeoutMs, call ? call.deadline - Date.now() - RESERVE_MS : Infinity))
    if (timeout <= 0) throw new ProviderFailure('unavailable', 'no_time_left')
    return { timeout }
  }
  const write = async <T>(key: string, send: (request: Stripe.RequestOptions) => Promise<T>): Promise<T> => {
    try {
      return await send({ ...limited(), idempotencyKey: `haat:${key}` })
    } catch (error) {
      throw toFailure(error)
    }
  }
  const read = async <T>(send: (request: Stripe.RequestOptions) => Promise<T>): Promise<T | undefined> => {
    try {
      return await send(limited())
    } catch (error) {
      if (isMissing(error)) return undefined
      const failure = toFailure(error)
      // A read that is refused tells nothing about the object: never a reason to give up.
      if (failure instanceof ProviderFailure && failure.isRejection)
        throw new ProviderFailure('unavailable', failure.reason, { cause: failure.cause })
      throw failure
    }
  }
  const list = async <T>(
    pages: (request: Stripe.RequestOptions) => Stripe.ApiListPromise<T>,
    limit: number,
  ): Promise<T[]> => (await read((request) => pages(request).autoPagingToArray({ limit }))) ?? []

  const getIntent = async (intentId: string) => {
    const expand = ['latest_charge.balance_transaction']
    const intent = await read((request) => stripe.paymentIntents.retrieve(intentId, { expand }, request))
    return intent && toIntent(intent)
  }
  /** Refunds name their movements; what those are worth is asked for one by one. */
  const withMovements = async (refund: Stripe.Refund): Promise<ProviderRefund> => {
    const ids = [refund.balance_transaction, refund.failure_balance_transaction]
      .map(idOf)
      .filter((id) => id !== undefined)
    const movements: Movement[] = []
    for (const id of ids) {
      const found = await read((request) => stripe.balanceTransactions.retrieve(id, {}, request))
      if (found) movements.push(toMovement(found))
    }
    return toRefund(refund, movements)
  }

  const provider: Provider = {
    name: 'stripe',
    payoutMethod: 'stripe_transfer',
    publishableKey: options.publishableKey,

    async createIntent({ paymentId, orderId, orderNo, amount, generation }) {
      const params: Stripe.PaymentIntentCreateParams = {
        ...stripeAmount(amount),
        automatic_payment_methods: { enabled: true },
        description: `Order ${orderNo}`,
        metadata: { payment_id: paymentId, order_id: orderId, order_no: orderNo },
        transfer_group: orderId,
      }
      return toIntent(await write(`intent:${paymentId}:${generation}`, (r) => stripe.paymentIntents.create(params, r)))
    },
    getIntent,
    async cancelIntent({ intentId, generation }) {
      try {
        const reason = { cancellation_reason: 'abandoned' } as const
        const key = `void:${intentId}:${generation}`
        return toIntent(await write(key, (r) => stripe.paymentIntents.cancel(intentId, reason, r)))
      } catch (error) {
        if (!(error instanceof ProviderFailure && error.isRejection)) throw error
        return getIntent(intentId)
      }
    },

    async createRefund({ refundId, intentId, amount, generation }) {
      const refund = await write(`refund:${refundId}:${generation}`, (r) =>
        stripe.refunds.create(
          { payment_intent: intentId, amount: stripeAmount(amount).amount, metadata: { refund_id: refundId } },
          r,
        ),
      )
      return withMovements(refund)
    },
    async getRefund(id) {
      const refund = await read((request) => stripe.refunds.retrieve(id, {}, request))
      return refund && withMovements(refund)
    },
    async findRefund({ refundId, intentId }) {
      const refunds = await list((r) => stripe.refunds.list({ payment_intent: intentId, limit: 100 }, r), 1_000)
      const refund = refunds.find(({ metadata }) => metadata?.refund_id === refundId)
      return refund && withMovements(refund)
    },

    async createAccount({ vendorId, country }) {
      const account = await write(`account:${vendorId}:${country}`, (r) =>
        stripe.accounts.create(
          {
            type: 'express',
            country,
            capabilities: { transfers: { requested: true } },
            metadata: { vendor_id: vendorId },
          },
          r,
        ),
      )
      return account.id
    },
    async createTransfer({ payoutId, vendorId, destination, amount, generation }) {
      const params: Stripe.TransferCreateParams = {
        ...stripeAmount(amount),
        destination,
        transfer_group: transferGroup(payoutId),
        metadata: { payout_id: payoutId, vendor_id: vendorId },
      }
      return toTransfer(await write(`payout:${payoutId}:${generation}`, (r) => stripe.transfers.create(params, r)))
    },
    async getTransfer(id) {
      const transfer = await read((request) => stripe.transfers.retrieve(id, {}, request))
      return transfer && toTransfer(transfer)
    },
    async findTransfer({ payoutId }) {
      const transfers = await list(
        (r) => stripe.transfers.list({ transfer_group: transferGroup(payoutId), limit: 100 }, r),
        1_000,
      )
      const transfer = transfers.find(({ metadata }) => metadata?.payout_id === payoutId)
      return transfer && toTransfer(transfer)
    },

    async getDispute(id) {
      const dispute = await read((request) => stripe.disputes.retrieve(id, {}, request))
      return dispute && toDispute(dispute)
    },
    async *listNotices(since) {
      const created = { gte: Math.floor(since.getTime() / 1000) }
      try {
        const wanted = { types: NOTICE_TYPES, created, limit: 100 }
        for await (const event of stripe.events.list(wanted, limited())) yield toNotice(event)
      } catch (error) {
        throw toFailure(error)
      }
    },

    readNotice(payload, signature, now) {
      const body = Buffer.from(payload)
      const fits = (secret: string) => {
        try {
          const { webhooks } = stripe
          return webhooks.signature?.verifyHeader(body, signature, secret, TOLERANCE_SECONDS, undefined, now.getTime())
        } catch {
          return false
        }
      }
      if (!isSignedAbout(now, signature) || !options.webhookSecrets.some(fits))
        throw unauthenticated('webhook_signature_invalid', 'the signature does not fit the body, or not now')
      return toNotice(parseEvent(body))
    },
  }
  return { provider, close: () => agent.destroy() }
}

/**
 * The SDK refuses what is too old, but takes any future and a time that is no number, and the last time of several: a signature
 * must name one time, and it must be about now.
 */
function isSignedAbout(now: Date, signature: string): boolean {
  const times = signature.split(',').filter((part) => part.startsWith('t='))
  if (times.length !== 1 || !/^t=\d{1,12}$/.test(times[0]!)) return false
  return Math.abs(Number(times[0]!.slice(2)) - now.getTime() / 1000) <= TOLERANCE_SECONDS
}

function parseEvent(body: Buffer): Stripe.Event {
  let event: Partial<Stripe.Event> | null | undefined
  try {
    event = JSON.parse(body.toString('utf8')) as typeof event
  } catch {
    event = undefined
  }
  if (typeof event?.id !== 'string' || typeof event.type !== 'string' || !isObject(event.data?.object))
    throw invalid('webhook_malformed', 'the body is not an event')
  return event as Stripe.Event
}

const transferGroup = (payoutId: string) => `payout:${payoutId}`

const idOf = (value: string | { id: string } | null | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.id

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

function stripeAmount(amount: Money): { amount: number; currency: string } {
  let converted: ReturnType<typeof toStripeAmount>
  try {
    converted = toStripeAmount(amount)
  } catch {
    throw new ProviderFailure('rejected', 'currency_unsupported')
  }
  if (!converted) throw new ProviderFailure('rejected', 'amount_unsupported')
  return converted
}

const intentStates: Record<Stripe.PaymentIntent.Status, IntentState> = {
  requires_payment_method: 'waiting',
  requires_confirmation: 'waiting',
  requires_action: 'waiting',
  processing: 'processing',
  requires_capture: 'processing',
  succeeded: 'succeeded',
  canceled: 'cancelled',
}

function toIntent(intent: Stripe.PaymentIntent): ProviderIntent {
  const { id, amount, currency, status } = intent
  const charge = isObject(intent.latest_charge) ? (intent.latest_charge as Stripe.Charge) : undefined
  const movement = isObject(charge?.balance_transaction)
    ? toMovement(charge?.balance_transaction as Stripe.BalanceTransaction)
    : undefined
  const error = intent.last_payment_error
  return {
    id,
    paymentId: intent.metadata.payment_id,
    status: intentStates[status] ?? 'processing',
    received: fromStripeAmount(intent.amount_received, currency),
    clientSecret: intent.client_secret ?? '',
    failure: error
      ? {
          ref: idOf(error.charge) ?? `${error.code}:${idOf(error.payment_method)}`,
          code: paymentFailureCode({ type: error.type, code: error.code, declineCode: error.decline_code }),
        }
      : undefined,
    charge: charge?.paid ? { ref: charge.id, at: new Date(charge.created * 1000) } : undefined,
    movement: charge?.paid ? movement : undefined,
    snapshot: {
      id,
      status,
      amount,
      amount_received: intent.amount_received,
      currency,
      charge: idOf(intent.latest_charge),
    },
  }
}

const toMovement = ({ id, amount, fee, currency }: Stripe.BalanceTransaction): Movement => ({
  id,
  amount: fromStripeAmount(amount, currency),
  fee: fromStripeAmount(fee, currency),
})

function toRefund(refund: Stripe.Refund, movements: Movement[]): ProviderRefund {
  const { id, amount, currency, status } = refund
  const isOver = status === 'failed' || status === 'canceled'
  return {
    id,
    refundId: refund.metadata?.refund_id,
    intentId: idOf(refund.payment_intent) ?? '',
    status: status === 'succeeded' ? 'succeeded' : isOver ? 'failed' : 'pending',
    amount: fromStripeAmount(amount, currency),
    failureCode: isOver ? (refund.failure_reason ?? status) : '',
    movements,
    snapshot: { id, status, amount, currency, failure_reason: refund.failure_reason ?? null },
  }
}

function toTransfer(transfer: Stripe.Transfer): ProviderTransfer {
  const { id, amount, amount_reversed, currency, destination } = transfer
  return {
    id,
    payoutId: transfer.metadata.payout_id,
    amount: fromStripeAmount(amount, currency),
    reversed: fromStripeAmount(amount_reversed, currency),
    snapshot: { id, amount, amount_reversed, currency, destination: idOf(destination) },
  }
}

function toDispute(dispute: Stripe.Dispute): ProviderDispute {
  return {
    id: dispute.id,
    intentId: idOf(dispute.payment_intent) ?? '',
    amount: fromStripeAmount(dispute.amount, dispute.currency),
    reason: dispute.reason,
    status: dispute.status,
    openedAt: new Date(dispute.created * 1000),
    movements: dispute.balance_transactions.map(toMovement),
  }
}

/** Which object an event is about. Events of connected accounts are their owners' business. */
function toNotice(event: Stripe.Event): Notice {
  const { type } = event
  const object = event.data.object as { id?: string; payment_intent?: string | { id: string } | null }
  const about = (kind: Notice['subject']['kind'], id: string | undefined): Notice => ({
    eventId: event.id,
    type,
    at: new Date(event.created * 1000),
    subject: id === undefined || event.account ? { kind: 'other', id: object.id ?? '' } : { kind, id },
  })
  if (type.startsWith('payment_intent.')) return about('intent', object.id)
  if (type.startsWith('charge.dispute.')) return about('dispute', object.id)
  if (type.startsWith('refund.') || type === 'charge.refund.updated') return about('refund', object.id)
  if (type.startsWith('charge.')) return about('intent', idOf(object.payment_intent))
  if (type.startsWith('transfer.')) return about('transfer', object.id)
  return about('other', object.id)
}
