import type { Call, Context } from '../context.ts'
import { listPage, listShape } from '../http/listing.ts'
import { text } from '../http/params.ts'
import { route } from '../http/route.ts'
import { resourceMissing } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { findOwn, insert, ownedBy } from '../store/store.ts'
import { moveMoney, processingFee } from './balance.ts'
import { emit } from './events.ts'
import type { PaymentIntent } from './payment-intent.ts'
import type { PaymentMethod } from './payment-methods.ts'
import type { Outcome } from './test-cards.ts'

export type Charge = {
  id: string
  object: 'charge'
  amount: number
  amount_captured: number
  amount_refunded: number
  balance_transaction: string | null
  billing_details: unknown
  captured: boolean
  created: number
  currency: string
  description: string | null
  disputed: boolean
  failure_code: string | null
  failure_message: string | null
  livemode: false
  metadata: Record<string, string>
  outcome: { network_status: string; reason: string | null; risk_level: 'normal'; seller_message: string; type: string }
  paid: boolean
  payment_intent: string
  payment_method: string
  payment_method_details: { type: 'card'; card: PaymentMethod['card'] }
  receipt_email: string | null
  refunded: boolean
  status: 'succeeded' | 'failed'
  transfer_group: string | null
}

type Decline = Extract<Outcome, { kind: 'declines' }>

export const chargeRoutes = [
  route('GET', '/v1/charges/:id', {}, (ctx, _params, call) => getCharge(ctx, call, call.ids.id ?? '', 'charge')),
  route('GET', '/v1/charges', { ...listShape, payment_intent: text(), transfer_group: text() }, (ctx, params, call) =>
    listPage(
      ctx,
      call,
      'charges',
      params,
      (row) =>
        (params.payment_intent === undefined || row.payment_intent === params.payment_intent) &&
        (params.transfer_group === undefined || row.transfer_group === params.transfer_group),
    ),
  ),
]

/** Takes the intent's money, less the fee, onto the balance. */
export function chargeIntent(ctx: Context, call: Call, intent: PaymentIntent, method: PaymentMethod): Charge {
  const charge = insertCharge(ctx, call, intent, method, undefined)
  const fee = processingFee(ctx, charge.amount)
  const { id: source, amount, currency } = charge
  charge.balance_transaction = moveMoney(ctx, {
    account: call.account,
    type: 'charge',
    amount,
    currency,
    fee,
    source,
  }).id
  emit(ctx, call, 'charge.succeeded', charge)
  return charge
}

/** A refused attempt leaves a charge too; it moves nothing. */
export function failCharge(
  ctx: Context,
  call: Call,
  intent: PaymentIntent,
  method: PaymentMethod,
  decline: Decline,
): Charge {
  const charge = insertCharge(ctx, call, intent, method, decline)
  emit(ctx, call, 'charge.failed', charge)
  return charge
}

export function getCharge(ctx: Context, call: Call, id: string, param: string): Charge {
  const charge = findOwn(ctx.store, 'charges', id, call.account)
  if (!charge) throw resourceMissing('charge', id, param)
  return charge
}

function insertCharge(
  ctx: Context,
  call: Call,
  intent: PaymentIntent,
  method: PaymentMethod,
  decline: Decline | undefined,
): Charge {
  const charge: Charge = {
    id: newId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: decline ? 0 : intent.amount,
    amount_refunded: 0,
    balance_transaction: null,
    billing_details: method.billing_details,
    captured: !decline,
    created: ctx.nowSeconds(),
    currency: intent.currency,
    description: intent.description,
    disputed: false,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    livemode: false,
    metadata: { ...intent.metadata },
    outcome: {
      network_status: decline ? 'declined_by_network' : 'approved_by_network',
      reason: decline ? (decline.declineCode ?? decline.code) : null,
      risk_level: 'normal',
      seller_message: decline ? 'The bank returned a decline.' : 'Payment complete.',
      type: decline ? 'issuer_declined' : 'authorized',
    },
    paid: !decline,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: { type: 'card', card: method.card },
    receipt_email: intent.receipt_email,
    refunded: false,
    status: decline ? 'failed' : 'succeeded',
    transfer_group: intent.transfer_group,
  }
  intent.latest_charge = charge.id
  return insert(ctx.store, 'charges', charge, ownedBy(call.account))
}
