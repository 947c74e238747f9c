import { VoidOutcome } from '@haat/proto/payment/v1/payment'
import type { OrderContext } from '../context.ts'
import { cancelParts, deriveStatus } from '../db/changes.ts'
import { type Checkout, moveCheckoutRow } from '../db/checkouts.ts'
import { lockSale } from '../db/sales.ts'
import type { CancelReasonName } from '../db/schema.ts'
import { settle } from './settle.ts'

/**
 * Asks for the end of an unpaid order. Written before anything else happens, so that the recovery job finishes what a
 * crash leaves. Undefined when it is not waiting for its payment.
 */
export const requestCancel = (
  ctx: OrderContext,
  orderId: string,
  why: { reason: CancelReasonName; note?: string; byUserId?: string | null },
): Promise<Checkout | undefined> =>
  moveCheckoutRow(ctx.db, orderId, 'requestCancel', {
    recover_at: new Date(ctx.now().getTime() + ctx.recoverySeconds * 1000),
    cancel_reason: why.reason,
    cancel_note: why.note ?? '',
    cancel_by: why.byUserId ?? null,
  })

/** Closes the payment first: only then nobody can pay any more. A customer who was faster has bought the goods. */
export async function driveCancel(ctx: OrderContext, orderId: string): Promise<void> {
  const { outcome, payment } = await ctx.payment.voidIntent({ orderId })
  if (outcome === VoidOutcome.ALREADY_PAID)
    return settle(ctx, orderId, { intentId: payment?.intentId ?? '', paidAt: payment?.paidAt ?? ctx.now() })
  await cancelUnpaid(ctx, orderId, 'payment_expired')
}

/** Ends an order whose payment is closed; its goods and coupons go back through order.cancelled. */
export async function cancelUnpaid(ctx: OrderContext, orderId: string, fallback: CancelReasonName): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    const checkout = await moveCheckoutRow(tx, orderId, 'cancel')
    if (!checkout) return
    const at = ctx.now()
    const why = {
      reason: checkout.cancel_reason ?? fallback,
      note: checkout.cancel_note,
      byUserId: checkout.cancel_by,
      at,
    }
    const order = await tx
      .updateTable('orders')
      .set({ payment_status: 'failed', updated_at: at })
      .where('id', '=', orderId)
      .where('payment_status', '=', 'pending')
      .returningAll()
      .executeTakeFirstOrThrow()
    Object.assign(sale.order, order)
    await cancelParts(tx, sale, sale.parts, why)
    await deriveStatus(tx, sale, at, why)
  })
}
