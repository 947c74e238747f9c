import type { Call, Context } from '../context.ts'
import { listPage, listShape } from '../http/listing.ts'
import { applyMetadata, currency, metadata, oneOf, required, text, type Values } from '../http/params.ts'
import { route } from '../http/route.ts'
import { invalidRequest, resourceMissing } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { findOwn, insert, ownedBy } from '../store/store.ts'
import { amount } from './amounts.ts'
import { balancesOf, moveMoney } from './balance.ts'
import { emit } from './events.ts'

export type Payout = {
  id: string
  object: 'payout'
  amount: number
  arrival_date: number
  automatic: false
  balance_transaction: string
  created: number
  currency: string
  description: string | null
  failure_balance_transaction: string | null
  failure_code: string | null
  failure_message: string | null
  livemode: false
  metadata: Record<string, string>
  method: string
  statement_descriptor: string | null
  status: 'paid' | 'failed'
  type: 'bank_account'
}

const createShape = {
  amount: required(amount()),
  currency: required(currency()),
  description: text(),
  metadata: metadata(),
  method: oneOf('standard', 'instant'),
  statement_descriptor: text(),
}

export const payoutRoutes = [
  route('POST', '/v1/payouts', createShape, create),
  route('GET', '/v1/payouts', { ...listShape, status: text() }, (ctx, params, call) =>
    listPage(ctx, call, 'payouts', params, (row) => params.status === undefined || row.status === params.status),
  ),
  route('GET', '/v1/payouts/:id', {}, (ctx, _params, call) => getPayout(ctx, call, call.ids.id ?? '')),
]

export function getPayout(ctx: Context, call: Call, id: string): Payout {
  const payout = findOwn(ctx.store, 'payouts', id, call.account)
  if (!payout) throw resourceMissing('payout', id)
  return payout
}

/** The bank sent the money back, which happens days after a payout counts as paid. */
export function failPayout(ctx: Context, call: Call, payout: Payout): void {
  if (payout.status === 'failed') throw invalidRequest('This payout has failed already.')
  const { amount: returned, currency: code, id: source } = payout
  const given = moveMoney(ctx, {
    account: call.account,
    type: 'payout_failure',
    amount: returned,
    currency: code,
    source,
  })
  payout.status = 'failed'
  payout.failure_balance_transaction = given.id
  payout.failure_code = 'account_closed'
  payout.failure_message = 'The bank account has been closed.'
  emit(ctx, call, 'payout.failed', payout)
}

/** Banks here are instant: a payout is paid when it is made. */
function create(ctx: Context, params: Values<typeof createShape>, call: Call): Payout {
  const { amount: paid, currency: code } = params
  if ((balancesOf(ctx.store, call.account)[code] ?? 0) < paid) {
    const message = 'You have insufficient funds in your Stripe account for this transfer.'
    throw invalidRequest(message, { code: 'balance_insufficient', param: 'amount' })
  }
  const id = newId('po')
  const taken = moveMoney(ctx, { account: call.account, type: 'payout', amount: -paid, currency: code, source: id })
  const payout: Payout = {
    id,
    object: 'payout',
    amount: paid,
    arrival_date: ctx.nowSeconds(),
    automatic: false,
    balance_transaction: taken.id,
    created: ctx.nowSeconds(),
    currency: code,
    description: params.description ?? null,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: applyMetadata({}, params.metadata),
    method: params.method ?? 'standard',
    statement_descriptor: params.statement_descriptor ?? null,
    status: 'paid',
    type: 'bank_account',
  }
  insert(ctx.store, 'payouts', payout, ownedBy(call.account))
  emit(ctx, call, 'payout.created', payout)
  emit(ctx, call, 'payout.paid', payout)
  return payout
}
