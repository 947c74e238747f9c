import type { Call, Context } from '../context.ts'
import { listPage, listShape } from '../http/listing.ts'
import { applyMetadata, metadata, oneOf, text, type Values } from '../http/params.ts'
import { route } from '../http/route.ts'
import { invalidRequest, resourceMissing } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { findOwn, insert, ownedBy } from '../store/store.ts'
import { amount, show } from './amounts.ts'
import { moveMoney } from './balance.ts'
import { type Charge, getCharge } from './charges.ts'
import { emit } from './events.ts'
import { getIntent } from './payment-intent.ts'

export type Refund = {
  id: string
  object: 'refund'
  amount: number
  balance_transaction: string
  charge: string
  created: number
  currency: string
  failure_balance_transaction?: string
  failure_reason?: string
  metadata: Record<string, string>
  payment_intent: string
  reason: string | null
  status: 'succeeded' | 'failed'
}

const createShape = {
  amount: amount(),
  charge: text(),
  metadata: metadata(),
  payment_intent: text(),
  reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
}

export const refundRoutes = [
  route('POST', '/v1/refunds', createShape, create),
  route('GET', '/v1/refunds', { ...listShape, charge: text(), payment_intent: text() }, (ctx, params, call) =>
    listPage(
      ctx,
      call,
      'refunds',
      params,
      (row) =>
        (params.charge === undefined || row.charge === params.charge) &&
        (params.payment_intent === undefined || row.payment_intent === params.payment_intent),
    ),
  ),
  route('GET', '/v1/refunds/:id', {}, (ctx, _params, call) => getRefund(ctx, call, call.ids.id ?? '')),
  route('POST', '/v1/refunds/:id', { metadata: metadata() }, (ctx, params, call) => {
    const refund = getRefund(ctx, call, call.ids.id ?? '')
    refund.metadata = applyMetadata(refund.metadata, params.metadata)
    emit(ctx, call, 'refund.updated', refund)
    return refund
  }),
]

export function getRefund(ctx: Context, call: Call, id: string): Refund {
  const refund = findOwn(ctx.store, 'refunds', id, call.account)
  if (!refund) throw resourceMissing('refund', id)
  return refund
}

/** The customer's bank sent the money back: it returns to the balance, and may be refunded again. */
export function failRefund(ctx: Context, call: Call, refund: Refund): void {
  if (refund.status === 'failed') throw invalidRequest('This refund has failed already.')
  const { id: source, currency } = refund
  refund.status = 'failed'
  refund.failure_reason = 'lost_or_stolen_card'
  refund.failure_balance_transaction = moveMoney(ctx, {
    account: call.account,
    type: 'refund_failure',
    amount: refund.amount,
    currency,
    source,
  }).id
  const charge = getCharge(ctx, call, refund.charge, 'charge')
  charge.amount_refunded -= refund.amount
  charge.refunded = false
  emit(ctx, call, 'refund.failed', refund)
}

function create(ctx: Context, params: Values<typeof createShape>, call: Call): Refund {
  const charge = chargeToRefund(ctx, call, params)
  const left = charge.amount - charge.amount_refunded
  if (left === 0) {
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' })
  }
  if (charge.disputed) {
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed',
    })
  }
  const refunded = params.amount ?? left
  if (refunded > left) {
    const [asked, rest] = [show(refunded, charge.currency), show(left, charge.currency)]
    throw invalidRequest(`Refund amount (${asked}) is greater than unrefunded amount on charge (${rest})`, {
      param: 'amount',
    })
  }

  const id = newId('re')
  const { currency } = charge
  const movement = moveMoney(ctx, { account: call.account, type: 'refund', amount: -refunded, currency, source: id })
  const refund: Refund = {
    id,
    object: 'refund',
    amount: refunded,
    balance_transaction: movement.id,
    charge: charge.id,
    created: ctx.nowSeconds(),
    currency,
    metadata: applyMetadata({}, params.metadata),
    payment_intent: charge.payment_intent,
    reason: params.reason ?? null,
    status: 'succeeded',
  }
  insert(ctx.store, 'refunds', refund, ownedBy(call.account))
  const previous = { amount_refunded: charge.amount_refunded }
  charge.amount_refunded += refunded
  charge.refunded = charge.amount_refunded === charge.amount
  emit(ctx, call, 'refund.created', refund)
  emit(ctx, call, 'charge.refunded', charge, previous)
  return refund
}

function chargeToRefund(ctx: Context, call: Call, params: Values<typeof createShape>): Charge {
  if (params.charge !== undefined) {
    const charge = getCharge(ctx, call, params.charge, 'charge')
    if (!charge.paid)
      throw invalidRequest(`Charge ${charge.id} was not paid and cannot be refunded.`, { param: 'charge' })
    return charge
  }
  if (params.payment_intent === undefined) {
    const message = 'One of the following params should be provided for this request: payment_intent or charge.'
    throw invalidRequest(message, { code: 'parameter_missing', param: 'payment_intent' })
  }
  const intent = getIntent(ctx, call, params.payment_intent, 'payment_intent')
  if (intent.status !== 'succeeded' || intent.latest_charge === null) {
    const message = `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`
    throw invalidRequest(message, { param: 'payment_intent' })
  }
  return getCharge(ctx, call, intent.latest_charge, 'charge')
}
