import type { Call, Context } from '../context.ts'
import { invalidRequest, resourceMissing, StripeError } from '../http/stripe-error.ts'
import { findOwn, hide } from '../store/store.ts'
import { chargeIntent, failCharge } from './charges.ts'
import { openDispute } from './disputes.ts'
import { emit } from './events.ts'
import { getMethod, type PaymentMethod, testCardOf } from './payment-methods.ts'

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'succeeded'
  | 'canceled'

export type NextAction =
  | { type: 'redirect_to_url'; redirect_to_url: { return_url: string; url: string } }
  | { type: 'use_stripe_sdk'; use_stripe_sdk: { type: 'three_d_secure_redirect'; stripe_js: string } }

export type PaymentIntent = {
  id: string
  object: 'payment_intent'
  amount: number
  amount_capturable: 0
  amount_received: number
  automatic_payment_methods: { enabled: boolean; allow_redirects: string } | null
  canceled_at: number | null
  cancellation_reason: string | null
  capture_method: string
  client_secret: string
  confirmation_method: 'automatic' | 'manual'
  created: number
  currency: string
  customer: null
  description: string | null
  last_payment_error: object | null
  latest_charge: string | null
  livemode: false
  metadata: Record<string, string>
  next_action: NextAction | null
  payment_method: string | null
  payment_method_options: unknown
  payment_method_types: string[]
  processing: null
  receipt_email: string | null
  shipping: unknown
  statement_descriptor: string | null
  statement_descriptor_suffix: string | null
  status: IntentStatus
  transfer_group: string | null
}

/** Who may leave which state by which verb. */
const allowed: Record<'confirm' | 'update' | 'cancel', readonly IntentStatus[]> = {
  confirm: ['requires_payment_method', 'requires_confirmation', 'requires_action'],
  update: ['requires_payment_method', 'requires_confirmation', 'requires_action'],
  cancel: ['requires_payment_method', 'requires_confirmation', 'requires_action', 'processing'],
}

export function getIntent(ctx: Context, call: Call, id: string, param = 'intent'): PaymentIntent {
  const intent = findOwn(ctx.store, 'paymentIntents', id, call.account)
  if (!intent) throw resourceMissing('payment_intent', id, param)
  return intent
}

export function assertMay(verb: keyof typeof allowed, intent: PaymentIntent): void {
  if (allowed[verb].includes(intent.status)) return
  throw invalidRequest(`You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`, {
    code: 'payment_intent_unexpected_state',
    payment_intent: intent,
  })
}

export function assertHasMethod(intent: PaymentIntent): string {
  if (intent.payment_method !== null) return intent.payment_method
  const message =
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method."
  throw invalidRequest(message, { code: 'payment_intent_unexpected_state', payment_intent: intent })
}

/** Charges the intent's payment method, or asks the customer for more. Throws what a declined confirm answers. */
export function attemptPayment(ctx: Context, call: Call, intent: PaymentIntent, returnUrl: string | undefined): void {
  const method = getMethod(ctx, call, assertHasMethod(intent))
  const { outcome } = testCardOf(ctx, method)
  intent.last_payment_error = null
  intent.next_action = null

  if (outcome.kind === 'authenticates' && !ctx.store.hidden.get(intent.id)?.isAuthenticated) {
    askCustomer(ctx, call, intent, returnUrl)
  } else if (outcome.kind === 'processes') {
    intent.status = 'processing'
    emit(ctx, call, 'payment_intent.processing', intent)
  } else if (outcome.kind === 'declines') {
    const charge = failCharge(ctx, call, intent, method, outcome)
    const error = new StripeError(402, {
      type: 'card_error',
      code: outcome.code,
      ...(outcome.declineCode === undefined ? {} : { decline_code: outcome.declineCode }),
      message: outcome.message,
      charge: charge.id,
      payment_method: method,
    })
    failAttempt(ctx, call, intent, error)
    throw error
  } else {
    succeed(ctx, call, intent, method)
    if (outcome.kind === 'is disputed') openDispute(ctx, call, intent.latest_charge ?? '')
  }
}

/** The customer passed or failed the bank's check, outside the API. */
export function authenticateIntent(ctx: Context, call: Call, intent: PaymentIntent, isPassed: boolean): void {
  if (intent.status !== 'requires_action' || intent.payment_method === null) {
    throw invalidRequest(`This PaymentIntent is not waiting for its customer: ${intent.status}`)
  }
  const method = getMethod(ctx, call, intent.payment_method)
  intent.next_action = null
  if (!isPassed) {
    const message =
      'We are unable to authenticate your payment method. Please choose a different payment method and try again.'
    const code = 'payment_intent_authentication_failure'
    failAttempt(ctx, call, intent, new StripeError(402, { type: 'card_error', code, message, payment_method: method }))
    return
  }
  hide(ctx.store, intent.id, { isAuthenticated: true })
  // An intent confirmed by hand goes back to its server, which confirms once more.
  if (intent.confirmation_method === 'manual') intent.status = 'requires_confirmation'
  else succeed(ctx, call, intent, method)
}

/** The bank's late answer to an intent that is processing. */
export function finishProcessing(ctx: Context, call: Call, intent: PaymentIntent, isPaid: boolean): void {
  if (intent.status !== 'processing' || intent.payment_method === null) {
    throw invalidRequest(`This PaymentIntent is not processing: ${intent.status}`)
  }
  const method = getMethod(ctx, call, intent.payment_method)
  if (isPaid) {
    succeed(ctx, call, intent, method)
    return
  }
  const message = 'The payment failed.'
  const charge = failCharge(ctx, call, intent, method, {
    kind: 'declines',
    code: 'payment_method_provider_decline',
    message,
  })
  const code = 'payment_method_provider_decline'
  failAttempt(
    ctx,
    call,
    intent,
    new StripeError(402, { type: 'card_error', code, message, charge: charge.id, payment_method: method }),
  )
}

export function cancelIntent(ctx: Context, call: Call, intent: PaymentIntent, reason: string | undefined): void {
  assertMay('cancel', intent)
  intent.status = 'canceled'
  intent.canceled_at = ctx.nowSeconds()
  intent.cancellation_reason = reason ?? null
  intent.next_action = null
  emit(ctx, call, 'payment_intent.canceled', intent)
}

/** A new payment method is a new attempt: an earlier authentication does not carry over. */
export function attachMethod(ctx: Context, intent: PaymentIntent, method: PaymentMethod): void {
  intent.payment_method = method.id
  intent.next_action = null
  intent.status = 'requires_confirmation'
  hide(ctx.store, intent.id, { isAuthenticated: false })
}

function succeed(ctx: Context, call: Call, intent: PaymentIntent, method: PaymentMethod): void {
  chargeIntent(ctx, call, intent, method)
  intent.status = 'succeeded'
  intent.amount_received = intent.amount
  emit(ctx, call, 'payment_intent.succeeded', intent)
}

function askCustomer(ctx: Context, call: Call, intent: PaymentIntent, returnUrl: string | undefined): void {
  const url = `${ctx.baseUrl()}/_emulator/pay/${intent.id}?client_secret=${intent.client_secret}`
  intent.status = 'requires_action'
  intent.next_action =
    returnUrl === undefined
      ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } }
      : {
          type: 'redirect_to_url',
          redirect_to_url: { return_url: returnUrl, url: `${url}&return_url=${encodeURIComponent(returnUrl)}` },
        }
  emit(ctx, call, 'payment_intent.requires_action', intent)
}

/** The method is dropped, so that the customer may try another. */
function failAttempt(ctx: Context, call: Call, intent: PaymentIntent, error: StripeError): void {
  intent.status = 'requires_payment_method'
  intent.payment_method = null
  intent.last_payment_error = structuredClone(error.body().error)
  emit(ctx, call, 'payment_intent.payment_failed', intent)
  error.fields.payment_intent = structuredClone(intent)
}
