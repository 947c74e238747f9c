import { ReleaseReason } from '@haat/proto/inventory/v1/inventory'
import { VoidOutcome } from '@haat/proto/payment/v1/payment'
import type { OrderContext } from '../context.ts'
import { deriveStatus } from '../db/changes.ts'
import { getCheckout, moveCheckoutRow } from '../db/checkouts.ts'
import { lockSale } from '../db/sales.ts'
import { settle } from './settle.ts'

/** Gives up a checkout that is not payable yet. The decision is written first; the job drives what a crash leaves. */
export async function undo(ctx: OrderContext, orderId: string, cause: string): Promise<void> {
  const recoverAt = new Date(ctx.now().getTime() + ctx.recoverySeconds * 1000)
  if (await moveCheckoutRow(ctx.db, orderId, 'undo', { last_error: cause, recover_at: recoverAt }))
    await driveUndo(ctx, orderId)
}

/**
 * Gives back whatever the checkout may hold, the payment first: an order that costs nothing is paid the moment its payment
 * is made, and then it goes forward. Each step answers OK when there is nothing to give back.
 */
export async function driveUndo(ctx: OrderContext, orderId: string): Promise<void> {
  const { outcome, payment } = await ctx.payment.voidIntent({ orderId })
  if (outcome === VoidOutcome.ALREADY_PAID)
    return settle(ctx, orderId, { intentId: payment?.intentId ?? '', paidAt: payment?.paidAt ?? ctx.now() })
  const { coupons } = await getCheckout(ctx.db, orderId)
  if (coupons.length > 0) await ctx.promotion.release({ orderId })
  await ctx.inventory.release({ orderId, reason: ReleaseReason.CHECKOUT_FAILED })
  await ctx.db.transaction().execute(async (tx) => {
    const sale = await lockSale(tx, orderId)
    if (!(await moveCheckoutRow(tx, orderId, 'undone'))) return
    const at = ctx.now()
    await tx
      .updateTable('vendor_orders')
      .set({ status: 'cancelled', cancel_reason: 'checkout_failed', cancelled_at: at, updated_at: at })
      .where('order_id', '=', orderId)
      .execute()
    for (const part of sale.parts) part.row.status = 'cancelled'
    await tx.updateTable('orders').set({ payment_status: 'failed' }).where('id', '=', orderId).execute()
    await deriveStatus(tx, sale, at, { reason: 'checkout_failed', note: '', byUserId: null, at })
  })
}
