import { job } from '@haat/kit/jobs'
import { ReleaseReason } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { releaseReservation } from '../db/reservations.ts'

const BATCH = 200

/** Gives back what orders held longer than their lease, one order per transaction. */
export const expireReservations = job<InventoryContext>('expire-reservations', {
  everySeconds: 10,
  async run(ctx) {
    const expired = await ctx.db
      .selectFrom('reservations')
      .select('order_id')
      .distinct()
      .where('state', '=', 'held')
      .where('expires_at', '<', ctx.now())
      .limit(BATCH)
      .execute()
    for (const { order_id } of expired)
      await ctx.db.transaction().execute((tx) => releaseReservation(tx, order_id, 'expired', ReleaseReason.EXPIRED))
  },
})
