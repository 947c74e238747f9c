import { job } from '@haat/kit/jobs'
import { sql } from 'kysely'
import type { ShippingContext } from '../context.ts'

const BATCH = 5_000

/** Deletes cached rates that are out of date. */
export const sweepRatesCache = job<ShippingContext>('sweep-rates-cache', {
  everySeconds: 300,
  leader: true,
  async run(ctx, call) {
    while (!call.signal.aborted) {
      const { numAffectedRows } = await sql`
        delete from rates_cache where id in (
          select id from rates_cache where expires_at < ${ctx.now()} limit ${BATCH}
        )`.execute(ctx.db)
      if ((numAffectedRows ?? 0n) < BigInt(BATCH)) return
    }
  },
})
