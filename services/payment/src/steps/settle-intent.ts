import { emit } from '@haat/kit/events/emit'
import { newId } from '@haat/kit/id'
import type { Transaction } from '@haat/kit/postgres'
import { PaymentFailed, PaymentIntentCreated, PaymentSucceeded } from '@haat/proto/payment/v1/events'
import type { PaymentContext } from '../context.ts'
import { feeOf, post } from '../db/ledger.ts'
import { amountOf, intentEventFields, lockPayment, type PaymentRow, updatePayment } from '../db/payments.ts'
import type { Database, PaymentState } from '../db/schema.ts'
import { allocationsFromJson } from '../domain/allocations.ts'
import { nextAttempt } from '../domain/back-off.ts'
import { saleEntries, suspenseEntries } from '../domain/postings.ts'
import { judge } from '../domain/settlement.ts'
import type { Movement, ProviderIntent } from '../provider/provider.ts'

type Tx = Transaction<Database>

/**
 * Makes a payment follow what the provider says of its intent now. The same state told twice changes nothing; every step is
 * committed together with its posting and its event.
 */
export function settleIntent(ctx: PaymentContext, paymentId: string, intent: ProviderIntent): Promise<PaymentRow> {
  return ctx.db.transaction().execute(async (tx) => {
    let payment = await lockPayment(tx, paymentId)
    // An answer that got lost: the intent was made, we were not told.
    if (payment.status === 'creating' && payment.intent_id === null)
      payment = await linkIntent(ctx, tx, payment, intent)
    if (payment.intent_id !== intent.id) return payment
    payment = await recordFailure(ctx, tx, payment, intent)
    const verdict = judge(
      { status: payment.status, amount: amountOf(payment), voidRequested: payment.void_requested_at !== null },
      intent,
    )
    const raw_json = JSON.stringify(intent.snapshot)
    switch (verdict) {
      case 'none':
        break
      case 'wait':
        payment = await updatePayment(tx, payment.id, { status: 'requires_payment', raw_json })
        break
      case 'process':
        payment = await updatePayment(tx, payment.id, { status: 'processing', raw_json })
        break
      case 'pay':
        payment = await succeed(ctx, tx, payment, intent)
        break
      case 'review':
        payment = await holdForReview(ctx, tx, payment, intent)
        break
      case 'void':
        payment = await closeUnpaid(ctx, tx, payment, 'voided', 'voided')
        break
      case 'expire':
        payment = await closeUnpaid(ctx, tx, payment, 'failed', 'expired')
        break
    }
    return bookMovement(ctx, tx, payment, intent)
  })
}

/** Ties an intent to the payment that waits for it, and announces it. The caller holds the row. */
async function linkIntent(
  ctx: PaymentContext,
  tx: Tx,
  payment: PaymentRow,
  intent: ProviderIntent,
): Promise<PaymentRow> {
  const linked = await updatePayment(tx, payment.id, {
    intent_id: intent.id,
    status: 'requires_payment',
    next_check_at: nextAttempt(ctx.now(), 1, ctx.reconcileAfterSeconds),
    raw_json: JSON.stringify(intent.snapshot),
  })
  await emit(tx, PaymentIntentCreated, intentEventFields(linked))
  return linked
}

/** Announces each refused attempt once; the customer may try again. */
async function recordFailure(
  ctx: PaymentContext,
  tx: Tx,
  payment: PaymentRow,
  intent: ProviderIntent,
): Promise<PaymentRow> {
  if (!intent.failure || intent.status !== 'waiting') return payment
  const { ref, code } = intent.failure
  const isNew = await recordAttempt(tx, payment, { ref, outcome: 'failed', code, at: ctx.now() })
  if (!isNew) return payment
  const failed = await updatePayment(tx, payment.id, { failure_code: code })
  await emit(tx, PaymentFailed, { ...intentEventFields(failed), reasonCode: code, final: false, failedAt: ctx.now() })
  return failed
}

async function recordAttempt(
  tx: Tx,
  payment: PaymentRow,
  attempt: { ref: string; outcome: 'succeeded' | 'failed'; code: string; at: Date },
): Promise<boolean> {
  const { ref, ...rest } = attempt
  const row = await tx
    .insertInto('payment_attempts')
    .values({ id: newId(), payment_id: payment.id, provider_ref: ref, ...rest })
    .onConflict((c) => c.doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** The money is there: posts the sale and says so. */
async function succeed(ctx: PaymentContext, tx: Tx, payment: PaymentRow, intent: ProviderIntent): Promise<PaymentRow> {
  const at = intent.charge?.at ?? ctx.now()
  await recordAttempt(tx, payment, { ref: intent.charge?.ref ?? intent.id, outcome: 'succeeded', code: '', at })
  return postSale(tx, payment, at, { raw_json: JSON.stringify(intent.snapshot), movement: intent.movement })
}

/**
 * Marks a payment as paid, posts what was sold, and the provider's fee if it is known, and announces it. The caller holds
 * the row.
 */
export async function postSale(
  tx: Tx,
  payment: PaymentRow,
  paidAt: Date,
  { raw_json = '{}', movement }: { raw_json?: string; movement?: Movement | undefined } = {},
): Promise<PaymentRow> {
  const paid = await updatePayment(tx, payment.id, {
    status: 'succeeded',
    paid_at: paidAt,
    failure_code: '',
    raw_json,
    ...(movement && booked(movement)),
  })
  const { provider, id: reference, order_id: orderId } = paid
  const entries = saleEntries(provider, paid.currency, allocationsFromJson(paid.allocations))
  const sale = { kind: 'sale', key: `sale:${paid.id}`, reference, orderId, entries } as const
  await post(tx, sale, ...(movement ? [feeOf(movement, { provider, reference, orderId })] : []))
  await emit(tx, PaymentSucceeded, { ...intentEventFields(paid), paidAt })
  return paid
}

/** Another amount than asked: the money waits in suspense for a person, and the order learns that this is no payment. */
async function holdForReview(
  ctx: PaymentContext,
  tx: Tx,
  payment: PaymentRow,
  intent: ProviderIntent,
): Promise<PaymentRow> {
  const held = await updatePayment(tx, payment.id, {
    status: 'under_review',
    failure_code: 'amount_mismatch',
    raw_json: JSON.stringify(intent.snapshot),
  })
  await post(tx, {
    kind: 'adjustment',
    key: `review:${held.id}`,
    reference: held.id,
    orderId: held.order_id,
    entries: suspenseEntries(held.provider, intent.received.currency, intent.received.minor),
  })
  await emit(tx, PaymentFailed, {
    ...intentEventFields(held),
    reasonCode: 'amount_mismatch',
    final: true,
    failedAt: ctx.now(),
  })
  return held
}

/** No money can come any more. The caller holds the row. */
export async function closeUnpaid(
  ctx: PaymentContext,
  tx: Tx,
  payment: PaymentRow,
  status: PaymentState & ('voided' | 'failed'),
  code: string,
): Promise<PaymentRow> {
  const closed = await updatePayment(tx, payment.id, { status, failure_code: code, next_check_at: null })
  await emit(tx, PaymentFailed, { ...intentEventFields(closed), reasonCode: code, final: true, failedAt: ctx.now() })
  return closed
}

/** Posts the provider's fee as soon as it is known; until then the payment stays on the list of what to ask about. */
async function bookMovement(
  _ctx: PaymentContext,
  tx: Tx,
  payment: PaymentRow,
  intent: ProviderIntent,
): Promise<PaymentRow> {
  if (intent.status !== 'succeeded' || payment.movement_id !== null || !intent.movement) return payment
  const { provider, order_id: orderId, id: reference } = payment
  await post(tx, feeOf(intent.movement, { provider, reference, orderId }))
  return updatePayment(tx, payment.id, booked(intent.movement))
}

/** Nothing is left to ask about a payment whose movement is known. */
const booked = (movement: Movement) => ({ movement_id: movement.id, next_check_at: null })
