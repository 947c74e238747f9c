import { money } from '@haat/money/money'
import { RestockReason } from '@haat/proto/inventory/v1/inventory'
import type { OrderContext } from '../context.ts'
import { findRefund, type Refund, sharesOf } from '../db/refunds.ts'
import { stockLines } from '../db/sales.ts'
import { allocationOf } from '../domain/allocation.ts'
import { retryAt } from '../domain/retry.ts'
import { describeFailure, isRefusal } from './failure.ts'

/**
 * Hands a decided refund to payment, and its goods to inventory; both take it once, by the refund's id. Never throws: what
 * does not answer is tried again by the job, what is refused is left for a person.
 */
export async function deliverRefund(ctx: OrderContext, refundId: string): Promise<void> {
  const refund = await findRefund(ctx.db, refundId)
  if (!refund) return
  await Promise.all([giveMoneyBack(ctx, refund), putGoodsBack(ctx, refund)])
}

async function giveMoneyBack(ctx: OrderContext, refund: Refund): Promise<void> {
  const { row } = refund
  if (row.state !== 'pending') return
  const order = await ctx.db
    .selectFrom('orders')
    .select(['prices_include_tax'])
    .where('id', '=', row.order_id)
    .executeTakeFirstOrThrow()
  try {
    await ctx.payment.refund({
      idempotencyKey: `refund:${row.id}`,
      orderId: row.order_id,
      refundId: row.id,
      amount: money(row.currency, row.amount),
      allocations: sharesOf(refund).map((share) => allocationOf(share, row.currency, order.prices_include_tax)),
      reason: row.reason,
    })
    await update(ctx, row.id, 'state', 'accepted')
  } catch (error) {
    await failed(ctx, refund, 'state', error)
  }
}

async function putGoodsBack(ctx: OrderContext, refund: Refund): Promise<void> {
  const { row, parts } = refund
  if (row.restock !== 'pending') return
  try {
    await ctx.inventory.restock({
      reference: row.id,
      orderId: row.order_id,
      lines: stockLines(parts.flatMap((part) => part.lines)),
      reason: row.restock_reason === 'cancelled' ? RestockReason.CANCELLED : RestockReason.REFUNDED,
    })
    await update(ctx, row.id, 'restock', 'done')
  } catch (error) {
    await failed(ctx, refund, 'restock', error)
  }
}

const update = async (
  ctx: OrderContext,
  id: string,
  column: 'state' | 'restock',
  value: 'accepted' | 'done' | 'failed',
) => {
  // payment.refunded may have come first; it knows better.
  await ctx.db
    .updateTable('refunds')
    .set({ [column]: value })
    .where('id', '=', id)
    .where(column, '=', 'pending')
    .execute()
}

async function failed(ctx: OrderContext, { row }: Refund, what: 'state' | 'restock', error: unknown): Promise<void> {
  const failure = describeFailure(error)
  await ctx.db
    .updateTable('refunds')
    .set((e) => ({
      attempts: e('attempts', '+', 1),
      next_attempt_at: retryAt(ctx.now(), row.attempts),
      last_error: failure,
    }))
    .where('id', '=', row.id)
    .execute()
  if (isRefusal(error)) {
    await update(ctx, row.id, what, 'failed')
    ctx.log.error(
      { refundId: row.id, orderId: row.order_id, what, failure },
      'a decided refund is refused: staff must act',
    )
  } else ctx.log.warn({ refundId: row.id, orderId: row.order_id, what, failure }, 'a refund waits for its next attempt')
}
