import { job } from '@haat/kit/jobs'
import { sql } from 'kysely'
import type { OrderContext } from '../context.ts'

const KEEP_DAYS = 7

/** Forgets old keys. Orders and refunds carry their own key, so that even then a repeat makes no second one. */
export const sweepIdempotencyKeys = job<OrderContext>('sweep-idempotency-keys', {
  everySeconds: 3600,
  async run(ctx) {
    await sql`delete from idempotency_keys where created_at < now() - make_interval(days => ${KEEP_DAYS})`.execute(
      ctx.db,
    )
  },
})
