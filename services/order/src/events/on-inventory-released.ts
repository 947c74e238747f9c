import type { Event } from '@haat/kit/events/envelope'
import type { InventoryReleased } from '@haat/proto/inventory/v1/events'
import { ReleaseReason } from '@haat/proto/inventory/v1/inventory'
import { driveCancel, requestCancel } from '../checkout/cancel-unpaid.ts'
import { describeFailure } from '../checkout/failure.ts'
import type { OrderContext } from '../context.ts'

/** Nobody holds the goods any more: an unpaid order ends with its reservation. Other releases are our own doing. */
export async function onInventoryReleased(ctx: OrderContext, event: Event<InventoryReleased>): Promise<void> {
  const { orderId, reason } = event.data
  if (reason !== ReleaseReason.EXPIRED) return
  if (!(await requestCancel(ctx, orderId, { reason: 'payment_expired' }))) return
  await driveCancel(ctx, orderId).catch((error) =>
    ctx.log.warn({ orderId, failure: describeFailure(error) }, 'the recovery job will end this order'),
  )
}
