import { job } from '@haat/kit/jobs'
import type { VendorContext } from '../context.ts'
import { settle } from '../db/earnings.ts'

const BATCH = 200

/** Frees the earnings of vendor orders whose return window is over. Several instances share the work. */
export const makeEarningsEligible = job<VendorContext>('make-earnings-eligible', {
  everySeconds: 30,
  async run(ctx, call) {
    for (let settled = BATCH; settled === BATCH && !call.signal.aborted; ) {
      settled = await ctx.db.transaction().execute(async (tx) => {
        const now = ctx.now()
        const due = await tx
          .selectFrom('vendor_order_sales')
          .select('vendor_order_id')
          .where('settled_at', 'is', null)
          .where('net', 'is not', null)
          .where('eligible_at', '<=', now)
          .orderBy('eligible_at')
          .limit(BATCH)
          .forUpdate()
          .skipLocked()
          .execute()
        await settle(
          tx,
          due.map((sale) => sale.vendor_order_id),
          now,
        )
        return due.length
      })
    }
  },
})
