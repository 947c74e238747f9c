import type { Call, Context } from '../context.ts'
import { listPage, listShape } from '../http/listing.ts'
import { text } from '../http/params.ts'
import { route } from '../http/route.ts'
import { invalidRequest, resourceMissing } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { findOwn, insert, ownedBy } from '../store/store.ts'
import { moveMoney } from './balance.ts'
import { getCharge } from './charges.ts'
import { emit } from './events.ts'

export type Dispute = {
  id: string
  object: 'dispute'
  amount: number
  balance_transactions: object[]
  charge: string
  created: number
  currency: string
  evidence_details: { due_by: number; has_evidence: false; past_due: false; submission_count: 0 }
  is_charge_refundable: false
  livemode: false
  metadata: Record<string, string>
  payment_intent: string
  reason: string
  status: 'needs_response' | 'won' | 'lost'
}

const disputeFee = 1_500
const responseSeconds = 7 * 24 * 60 * 60

export const disputeRoutes = [
  route('GET', '/v1/disputes/:id', {}, (ctx, _params, call) => getDispute(ctx, call, call.ids.id ?? '')),
  route('GET', '/v1/disputes', { ...listShape, charge: text(), payment_intent: text() }, (ctx, params, call) =>
    listPage(
      ctx,
      call,
      'disputes',
      params,
      (row) =>
        (params.charge === undefined || row.charge === params.charge) &&
        (params.payment_intent === undefined || row.payment_intent === params.payment_intent),
    ),
  ),
]

export function getDispute(ctx: Context, call: Call, id: string): Dispute {
  const dispute = findOwn(ctx.store, 'disputes', id, call.account)
  if (!dispute) throw resourceMissing('dispute', id)
  return dispute
}

/** The cardholder's bank takes the money back at once, and a fee with it. */
export function openDispute(ctx: Context, call: Call, chargeId: string): Dispute {
  const charge = getCharge(ctx, call, chargeId, 'charge')
  if (charge.disputed) throw invalidRequest(`Charge ${charge.id} is disputed already.`)
  const id = newId('du')
  const amount = charge.amount - charge.amount_refunded
  const { currency } = charge
  const taken = moveMoney(ctx, {
    account: call.account,
    type: 'adjustment',
    amount: -amount,
    currency,
    fee: disputeFee,
    source: id,
  })
  charge.disputed = true
  const dispute: Dispute = {
    id,
    object: 'dispute',
    amount,
    balance_transactions: [taken],
    charge: charge.id,
    created: ctx.nowSeconds(),
    currency,
    evidence_details: {
      due_by: ctx.nowSeconds() + responseSeconds,
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: 'fraudulent',
    status: 'needs_response',
  }
  insert(ctx.store, 'disputes', dispute, ownedBy(call.account))
  emit(ctx, call, 'charge.dispute.created', dispute)
  emit(ctx, call, 'charge.dispute.funds_withdrawn', dispute)
  return dispute
}

/** Winning brings the money back; the fee stays paid. */
export function closeDispute(ctx: Context, call: Call, dispute: Dispute, status: 'won' | 'lost'): void {
  if (dispute.status !== 'needs_response') throw invalidRequest(`This dispute is closed already: ${dispute.status}`)
  dispute.status = status
  if (status === 'won') {
    const { amount, currency, id: source } = dispute
    const given = moveMoney(ctx, { account: call.account, type: 'adjustment', amount, currency, source })
    dispute.balance_transactions.push(given)
    emit(ctx, call, 'charge.dispute.funds_reinstated', dispute)
  }
  emit(ctx, call, 'charge.dispute.closed', dispute)
}
