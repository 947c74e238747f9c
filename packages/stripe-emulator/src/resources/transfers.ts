import type { Call, Context } from '../context.ts'
import { type List, listPage, listShape } from '../http/listing.ts'
import { applyMetadata, currency, metadata, required, text, type Values } from '../http/params.ts'
import { route } from '../http/route.ts'
import { invalidRequest, resourceMissing } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { insert } from '../store/store.ts'
import { getAccount } from './accounts.ts'
import { amount, show } from './amounts.ts'
import { balancesOf, moveMoney } from './balance.ts'
import { getCharge } from './charges.ts'
import { emit } from './events.ts'

export type Transfer = {
  id: string
  object: 'transfer'
  amount: number
  amount_reversed: number
  balance_transaction: string
  created: number
  currency: string
  description: string | null
  destination: string
  destination_payment: string
  livemode: false
  metadata: Record<string, string>
  reversals: List<TransferReversal> & { total_count: number }
  reversed: boolean
  source_transaction: string | null
  source_type: 'card'
  transfer_group: string | null
}

export type TransferReversal = {
  id: string
  object: 'transfer_reversal'
  amount: number
  balance_transaction: string
  created: number
  currency: string
  destination_payment_refund: string
  metadata: Record<string, string>
  source_refund: null
  transfer: string
}

const createShape = {
  amount: required(amount()),
  currency: required(currency()),
  description: text(),
  destination: required(text()),
  metadata: metadata(),
  source_transaction: text(),
  source_type: text(),
  transfer_group: text(),
}
const reverseShape = { amount: amount(), description: text(), metadata: metadata() }

export const transferRoutes = [
  route('POST', '/v1/transfers', createShape, create),
  route('GET', '/v1/transfers', { ...listShape, destination: text(), transfer_group: text() }, (ctx, params, call) =>
    listPage(
      ctx,
      call,
      'transfers',
      params,
      (row) =>
        (params.destination === undefined || row.destination === params.destination) &&
        (params.transfer_group === undefined || row.transfer_group === params.transfer_group),
    ),
  ),
  route('GET', '/v1/transfers/:id', {}, (ctx, _params, call) => getTransfer(ctx, call)),
  route('POST', '/v1/transfers/:id', { description: text(), metadata: metadata() }, (ctx, params, call) => {
    const transfer = getTransfer(ctx, call)
    transfer.description = params.description ?? transfer.description
    transfer.metadata = applyMetadata(transfer.metadata, params.metadata)
    emit(ctx, call, 'transfer.updated', transfer)
    return transfer
  }),
  route('POST', '/v1/transfers/:id/reversals', reverseShape, reverse),
  route('GET', '/v1/transfers/:id/reversals', listShape, (ctx, params, call) => {
    const transfer = getTransfer(ctx, call)
    return listPage(ctx, call, 'transferReversals', params, (row) => row.transfer === transfer.id)
  }),
  route('GET', '/v1/transfers/:id/reversals/:reversal', {}, (ctx, _params, call) => {
    const id = call.ids.reversal ?? ''
    const reversal = ctx.store.tables.transferReversals.get(id)
    if (reversal?.transfer !== getTransfer(ctx, call).id) throw resourceMissing('transfer reversal', id)
    return reversal
  }),
]

function create(ctx: Context, params: Values<typeof createShape>, call: Call): Transfer {
  const destination = getAccount(ctx, params.destination, 'destination')
  if (destination.capabilities.transfers !== 'active') {
    const message =
      'Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments'
    throw invalidRequest(message, { code: 'insufficient_capabilities_for_transfer' })
  }
  if (params.source_transaction !== undefined) assertCovered(ctx, call, params.source_transaction, params)
  else if ((balancesOf(ctx.store, null)[params.currency] ?? 0) < params.amount) {
    const message =
      'You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating Charges using the 4000000000000077 test card.'
    throw invalidRequest(message, { code: 'balance_insufficient' })
  }

  const id = newId('tr')
  const payment = newId('py')
  const { amount: moved, currency: code } = params
  const taken = moveMoney(ctx, { account: null, type: 'transfer', amount: -moved, currency: code, source: id })
  moveMoney(ctx, { account: destination.id, type: 'payment', amount: moved, currency: code, source: payment })
  const transfer: Transfer = {
    id,
    object: 'transfer',
    amount: moved,
    amount_reversed: 0,
    balance_transaction: taken.id,
    created: ctx.nowSeconds(),
    currency: code,
    description: params.description ?? null,
    destination: destination.id,
    destination_payment: payment,
    livemode: false,
    metadata: applyMetadata({}, params.metadata),
    reversals: { object: 'list', data: [], has_more: false, total_count: 0, url: `/v1/transfers/${id}/reversals` },
    reversed: false,
    source_transaction: params.source_transaction ?? null,
    source_type: 'card',
    transfer_group: params.transfer_group ?? null,
  }
  insert(ctx.store, 'transfers', transfer)
  emit(ctx, call, 'transfer.created', transfer)
  return transfer
}

/** Money tied to a charge may leave before it is available, but never more than the charge brought. */
function assertCovered(ctx: Context, call: Call, chargeId: string, params: { amount: number; currency: string }): void {
  const charge = getCharge(ctx, call, chargeId, 'source_transaction')
  if (charge.currency !== params.currency) {
    throw invalidRequest('The currency of source_transaction is another one.', { param: 'currency' })
  }
  const used = [...ctx.store.tables.transfers.values()]
    .filter((transfer) => transfer.source_transaction === charge.id)
    .reduce((total, transfer) => total + transfer.amount - transfer.amount_reversed, 0)
  const left = charge.amount_captured - charge.amount_refunded - used
  if (params.amount > left) {
    const message = `Transfers using this transaction as a source must not exceed the source amount of ${show(left, charge.currency)}.`
    throw invalidRequest(message, { param: 'amount' })
  }
}

function reverse(ctx: Context, params: Values<typeof reverseShape>, call: Call): TransferReversal {
  const transfer = getTransfer(ctx, call)
  const left = transfer.amount - transfer.amount_reversed
  const reversed = params.amount ?? left
  if (left === 0) throw invalidRequest(`Transfer ${transfer.id} is already fully reversed.`)
  if (reversed > left) {
    const [asked, rest] = [show(reversed, transfer.currency), show(left, transfer.currency)]
    throw invalidRequest(`Reversal amount (${asked}) is greater than unreversed amount on transfer (${rest})`, {
      param: 'amount',
    })
  }
  if ((balancesOf(ctx.store, transfer.destination)[transfer.currency] ?? 0) < reversed) {
    const message = 'The recipient does not have enough funds in their balance to cover this reversal.'
    throw invalidRequest(message, { code: 'balance_insufficient' })
  }

  const id = newId('trr')
  const { currency: code } = transfer
  const refund = newId('pyr')
  const given = moveMoney(ctx, { account: null, type: 'transfer_refund', amount: reversed, currency: code, source: id })
  moveMoney(ctx, { account: transfer.destination, type: 'refund', amount: -reversed, currency: code, source: refund })
  const reversal: TransferReversal = {
    id,
    object: 'transfer_reversal',
    amount: reversed,
    balance_transaction: given.id,
    created: ctx.nowSeconds(),
    currency: code,
    destination_payment_refund: refund,
    metadata: applyMetadata({}, params.metadata),
    source_refund: null,
    transfer: transfer.id,
  }
  insert(ctx.store, 'transferReversals', reversal)
  transfer.amount_reversed += reversed
  transfer.reversed = transfer.amount_reversed === transfer.amount
  transfer.reversals.data.unshift(reversal)
  transfer.reversals.total_count += 1
  emit(ctx, call, 'transfer.reversed', transfer)
  return reversal
}

function getTransfer(ctx: Context, call: Call): Transfer {
  const id = call.ids.id ?? ''
  const transfer = call.account === null ? ctx.store.tables.transfers.get(id) : undefined
  if (!transfer) throw resourceMissing('transfer', id)
  return transfer
}
