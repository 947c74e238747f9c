import { job } from '@haat/kit/jobs'
import { driveCancel, requestCancel } from '../checkout/cancel-unpaid.ts'
import { describeFailure } from '../checkout/failure.ts'
import { driveUndo } from '../checkout/undo.ts'
import type { OrderContext } from '../context.ts'

const BATCH = 50

/**
 * Finishes what nobody works on any more: undoes checkouts that stand still before they are payable, ends unpaid orders
 * whose time is over, and drives undos and cancellations that a crash or a silent neighbour interrupted.
 */
export const recoverCheckouts = job<OrderContext>('recover-checkouts', {
  everySeconds: 10,
  async run(ctx, call) {
    const now = ctx.now()
    for (const { id } of await listExpired(ctx, now)) {
      if (call.signal.aborted) return
      if (await requestCancel(ctx, id, { reason: 'payment_expired' })) await attempt(ctx, id, driveCancel)
    }
    const recoverAt = new Date(now.getTime() + ctx.recoverySeconds * 1000)
    for (const { order_id, state } of await claimStalled(ctx, now, recoverAt)) {
      if (call.signal.aborted) return
      await attempt(ctx, order_id, state === 'releasing' ? driveUndo : driveCancel)
    }
  },
})

/** One checkout that cannot be driven now does not keep the others waiting. */
async function attempt(
  ctx: OrderContext,
  orderId: string,
  drive: (ctx: OrderContext, orderId: string) => Promise<void>,
): Promise<void> {
  try {
    await drive(ctx, orderId)
  } catch (error) {
    const failure = describeFailure(error)
    ctx.log.warn({ orderId, failure }, 'a checkout waits for its next recovery')
    await ctx.db
      .updateTable('checkouts')
      .set((e) => ({ attempts: e('attempts', '+', 1), last_error: failure }))
      .where('order_id', '=', orderId)
      .execute()
  }
}

/** Orders that are still unpaid when their time is over. */
const listExpired = (ctx: OrderContext, now: Date) =>
  ctx.db
    .selectFrom('orders')
    .innerJoin('checkouts', 'checkouts.order_id', 'orders.id')
    .select('orders.id')
    .where('orders.payment_status', '=', 'pending')
    .where('orders.pay_by', '<', now)
    .where('checkouts.state', '=', 'payable')
    .orderBy('orders.pay_by')
    .limit(BATCH)
    .execute()

/** Takes over checkouts nobody has worked on for a while; a claim lasts as long as an attempt may. */
async function claimStalled(ctx: OrderContext, now: Date, recoverAt: Date) {
  return ctx.db
    .updateTable('checkouts')
    .set((e) => ({
      state: e
        .case()
        .when('state', '=', 'open')
        .then('releasing' as const)
        .else(e.ref('state'))
        .end(),
      recover_at: recoverAt,
      updated_at: now,
    }))
    .where('order_id', 'in', (q) =>
      q
        .selectFrom('checkouts as stalled')
        .select('stalled.order_id')
        .where('stalled.state', 'in', ['open', 'releasing', 'cancelling'])
        .where('stalled.recover_at', '<', now)
        .orderBy('stalled.recover_at')
        .limit(BATCH)
        .forUpdate()
        .skipLocked(),
    )
    .where('recover_at', '<', now)
    .returning(['order_id', 'state'])
    .execute()
}
