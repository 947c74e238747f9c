import { job } from '@haat/kit/jobs'
import type { ShippingContext } from '../context.ts'
import { applyScans } from '../db/shipments.ts'
import { simulatedScans } from '../domain/tracking.ts'

const BATCH = 200

/** Development only: each parcel of the built-in carrier takes its next step once the last one is old enough. */
export const simulateScans = job<ShippingContext>('simulate-scans', {
  everySeconds: 3,
  leader: true,
  async run(ctx, call) {
    const now = ctx.now()
    const due = await ctx.db
      .selectFrom('shipments')
      .innerJoin('vendor_orders', 'vendor_orders.vendor_order_id', 'shipments.vendor_order_id')
      .select((eb) => [
        'shipments.id',
        eb
          .selectFrom('tracking_events')
          .select((e) => e.fn.countAll<bigint>().as('n'))
          .whereRef('shipment_id', '=', 'shipments.id')
          .where('scan_id', 'like', 'simulated:%')
          .as('taken'),
      ])
      .where('shipments.carrier', '=', 'table')
      .where('shipments.status', '<>', 'delivered')
      .where('vendor_orders.state', '=', 'accepted')
      .where('shipments.updated_at', '<=', new Date(now.getTime() - ctx.simulateStepSeconds * 1000))
      .orderBy('shipments.id')
      .limit(BATCH)
      .execute()
    for (const { id, taken } of due) {
      if (call.signal.aborted) return
      const step = Number(taken ?? 0n)
      const scan = simulatedScans[step]
      if (!scan) continue
      await ctx.db
        .transaction()
        .execute((tx) => applyScans(tx, id, [{ ...scan, id: `simulated:${step}`, occurredAt: now }], now))
    }
  },
})
