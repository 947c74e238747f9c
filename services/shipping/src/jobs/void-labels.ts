import { job } from '@haat/kit/jobs'
import { getCarrier } from '../carriers/carriers.ts'
import type { ShippingContext } from '../context.ts'

const BATCH = 100
const CARRIER_MS = 15_000

/** Gives labels of cancelled vendor orders back to their carrier, those of cut-off attempts included, until it takes them. */
export const voidLabels = job<ShippingContext>('void-labels', {
  everySeconds: 30,
  leader: true,
  async run(ctx, call) {
    const unused = await ctx.db
      .selectFrom('shipments')
      .innerJoin('vendor_orders', 'vendor_orders.vendor_order_id', 'shipments.vendor_order_id')
      .select(['shipments.id', 'shipments.carrier'])
      .where('vendor_orders.state', '=', 'cancelled')
      .where('shipments.status', '=', 'label_created')
      .where('shipments.voided_at', 'is', null)
      .limit(BATCH)
      .execute()
    const cutOff = await ctx.db
      .selectFrom('label_attempts')
      .innerJoin('vendor_orders', 'vendor_orders.vendor_order_id', 'label_attempts.vendor_order_id')
      .select(['label_attempts.shipment_id as id', 'label_attempts.carrier'])
      .where('vendor_orders.state', '=', 'cancelled')
      .where('label_attempts.locked_until', '<=', ctx.now())
      .limit(BATCH)
      .execute()
    for (const { id, carrier } of [...unused, ...cutOff]) {
      if (call.signal.aborted) return
      try {
        const signal = AbortSignal.any([call.signal, AbortSignal.timeout(CARRIER_MS)])
        await getCarrier(ctx.carriers, carrier).voidLabel(id, signal)
      } catch (err) {
        // One label that the carrier does not take must not keep the others.
        ctx.log.warn({ err, shipmentId: id, carrier }, 'the carrier did not take a label back')
        continue
      }
      await ctx.db.updateTable('shipments').set({ voided_at: ctx.now() }).where('id', '=', id).execute()
      await ctx.db.deleteFrom('label_attempts').where('shipment_id', '=', id).execute()
    }
  },
})
