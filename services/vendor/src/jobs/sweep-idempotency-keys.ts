import { job } from '@haat/kit/jobs'
import { sql } from 'kysely'
import type { VendorContext } from '../context.ts'

const KEEP_DAYS = 30

/** Forgets idempotency keys that nobody repeats any more. */
export const sweepIdempotencyKeys = job<VendorContext>('sweep-idempotency-keys', {
  everySeconds: 3_600,
  leader: true,
  async run(ctx) {
    await ctx.db
      .deleteFrom('idempotency_keys')
      .where('created_at', '<', sql<Date>`now() - make_interval(days => ${KEEP_DAYS})`)
      .execute()
  },
})
