import { emit } from '@haat/kit/events/emit'
import { sql, type Transaction } from '@haat/kit/postgres'
import { PayoutFailed, PayoutProcessed } from '@haat/proto/payment/v1/events'
import type { PaymentContext } from '../context.ts'
import { post } from '../db/ledger.ts'
import { amountOf } from '../db/payments.ts'
import type { PayoutRow } from '../db/payouts.ts'
import type { Database } from '../db/schema.ts'
import { payoutEntries, turned } from '../domain/postings.ts'
import type { ProviderTransfer } from '../provider/provider.ts'

type Tx = Transaction<Database>
type Changes = Partial<
  Pick<PayoutRow, 'status' | 'external_ref' | 'failure_code' | 'next_attempt_at' | 'completed_at' | 'reversed_amount'>
>

/** Makes a payout follow what the provider says of its transfer now; told twice it changes nothing. */
export function settlePayout(ctx: PaymentContext, payoutId: string, transfer: ProviderTransfer): Promise<PayoutRow> {
  return ctx.db.transaction().execute(async (tx) => {
    const payout = await tx
      .selectFrom('payouts')
      .selectAll()
      .where('id', '=', payoutId)
      .forUpdate()
      .executeTakeFirstOrThrow()
    if (transfer.amount.minor !== payout.amount || transfer.amount.currency !== payout.currency)
      throw new Error(`payout ${payoutId} is of another amount at the provider`)
    const sent = payout.external_ref === null ? await markSent(ctx, tx, payout, transfer) : payout
    return transfer.reversed.minor > sent.reversed_amount ? takeBack(ctx, tx, sent, transfer) : sent
  })
}

/** The money has left: posts it and says so. */
async function markSent(
  ctx: PaymentContext,
  tx: Tx,
  payout: PayoutRow,
  transfer: ProviderTransfer,
): Promise<PayoutRow> {
  const processedAt = ctx.now()
  const paid = await updatePayout(tx, payout, {
    status: 'paid',
    external_ref: transfer.id,
    failure_code: '',
    next_attempt_at: null,
    completed_at: processedAt,
    raw_json: JSON.stringify(transfer.snapshot),
  })
  await post(tx, {
    kind: 'payout',
    key: `payout:${payout.id}`,
    reference: payout.id,
    entries: payoutEntries(payout.provider, payout.currency, payout.vendor_id, payout.amount),
  })
  await emit(tx, PayoutProcessed, {
    payoutId: payout.id,
    vendorId: payout.vendor_id,
    amount: amountOf(payout),
    method: payout.method,
    externalRef: transfer.id,
    processedAt,
  })
  return paid
}

/** The provider sent money back: it is owed to the vendor again. A payout that came back whole has failed. */
async function takeBack(
  ctx: PaymentContext,
  tx: Tx,
  payout: PayoutRow,
  transfer: ProviderTransfer,
): Promise<PayoutRow> {
  const reversed = transfer.reversed.minor
  await post(tx, {
    kind: 'payout_reversal',
    key: `payout_reversal:${payout.id}:${reversed}`,
    reference: payout.id,
    entries: turned(
      payoutEntries(payout.provider, payout.currency, payout.vendor_id, reversed - payout.reversed_amount),
    ),
  })
  const raw_json = JSON.stringify(transfer.snapshot)
  const back = await updatePayout(tx, payout, { reversed_amount: reversed, raw_json })
  return reversed === payout.amount ? failPayout(ctx, tx, back, 'returned') : back
}

/** Nothing of it stays with the vendor. The caller holds the row. */
export async function failPayout(
  ctx: PaymentContext,
  tx: Tx,
  payout: PayoutRow,
  reasonCode: string,
): Promise<PayoutRow> {
  const failedAt = ctx.now()
  const failed = await updatePayout(tx, payout, {
    status: 'failed',
    failure_code: reasonCode,
    next_attempt_at: null,
    completed_at: failedAt,
  })
  await emit(tx, PayoutFailed, {
    payoutId: payout.id,
    vendorId: payout.vendor_id,
    amount: amountOf(payout),
    reasonCode,
    failedAt,
  })
  return failed
}

const updatePayout = (tx: Tx, payout: PayoutRow, changes: Changes & { raw_json?: string }): Promise<PayoutRow> =>
  tx
    .updateTable('payouts')
    .set({ ...changes, updated_at: sql`now()` })
    .where('id', '=', payout.id)
    .returningAll()
    .executeTakeFirstOrThrow()
