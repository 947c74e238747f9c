import type { Call, Context } from '../context.ts'
import { listPage, listShape } from '../http/listing.ts'
import { currency, text } from '../http/params.ts'
import { route } from '../http/route.ts'
import { resourceMissing } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { findOwn, insert, ownedBy, ownerOf, type Store } from '../store/store.ts'

/** One movement of one account's money. A balance is nothing but the sum of its movements' nets. */
export type BalanceTransaction = {
  id: string
  object: 'balance_transaction'
  amount: number
  available_on: number
  created: number
  currency: string
  description: string | null
  exchange_rate: null
  fee: number
  fee_details: { amount: number; application: null; currency: string; description: string; type: 'stripe_fee' }[]
  net: number
  reporting_category: string
  source: string
  status: 'available'
  type: string
}

export type Movement = {
  account: string | null
  amount: number
  currency: string
  fee?: number
  source: string
  type:
    | 'adjustment'
    | 'charge'
    | 'payment'
    | 'payout'
    | 'payout_failure'
    | 'refund'
    | 'refund_failure'
    | 'transfer'
    | 'transfer_refund'
}

export const balanceRoutes = [
  route('GET', '/v1/balance', {}, (ctx, _params, call) => renderBalance(ctx.store, call.account)),
  route('GET', '/v1/balance_transactions/:id', {}, getTransaction),
  route(
    'GET',
    '/v1/balance_transactions',
    { ...listShape, type: text(), source: text(), currency: currency() },
    (ctx, params, call) =>
      listPage(
        ctx,
        call,
        'balanceTransactions',
        params,
        (row) =>
          (params.type === undefined || row.type === params.type) &&
          (params.source === undefined || row.source === params.source) &&
          (params.currency === undefined || row.currency === params.currency),
      ),
  ),
]

export function moveMoney(ctx: Context, movement: Movement): BalanceTransaction {
  const { account, amount, source, type } = movement
  const fee = movement.fee ?? 0
  const now = ctx.nowSeconds()
  const description = type === 'adjustment' ? 'Dispute fee' : 'Stripe processing fees'
  return insert(
    ctx.store,
    'balanceTransactions',
    {
      id: newId('txn'),
      object: 'balance_transaction',
      amount,
      available_on: now,
      created: now,
      currency: movement.currency,
      description: null,
      exchange_rate: null,
      fee,
      fee_details:
        fee === 0
          ? []
          : [{ amount: fee, application: null, currency: movement.currency, description, type: 'stripe_fee' }],
      net: amount - fee,
      reporting_category: type === 'adjustment' ? 'dispute' : type,
      source,
      status: 'available',
      type,
    },
    ownedBy(account),
  )
}

/** Rounded half-up on integers; a product stays far below 2^53. */
export function processingFee(ctx: Context, amount: number): number {
  const { bps, fixedMinor } = ctx.settings.fee
  return Math.floor((amount * bps + 5_000) / 10_000) + fixedMinor
}

export function balancesOf(store: Store, account: string | null): Record<string, number> {
  const totals: Record<string, number> = {}
  for (const row of store.tables.balanceTransactions.values()) {
    if (ownerOf(store, row.id) === account) totals[row.currency] = (totals[row.currency] ?? 0) + row.net
  }
  return totals
}

function renderBalance(store: Store, account: string | null): object {
  const totals = Object.entries(balancesOf(store, account))
  const entries = totals.length > 0 ? totals : [['usd', 0] as const]
  return {
    object: 'balance',
    available: entries.map(([code, amount]) => ({ amount, currency: code, source_types: { card: amount } })),
    livemode: false,
    pending: entries.map(([code]) => ({ amount: 0, currency: code, source_types: { card: 0 } })),
  }
}

function getTransaction(ctx: Context, _params: object, call: Call): BalanceTransaction {
  const id = call.ids.id ?? ''
  const row = findOwn(ctx.store, 'balanceTransactions', id, call.account)
  if (!row) throw resourceMissing('balance transaction', id)
  return row
}
