import { job } from '@haat/kit/jobs'
import { sql } from '@haat/kit/postgres'
import type { PaymentContext } from '../context.ts'

/** Forgets answers after a week; the ids of orders, refunds and payouts go on protecting against repeats for ever. */
export const sweepIdempotencyKeys = job<PaymentContext>('sweep-idempotency-keys', {
  everySeconds: 3_600,
  async run(ctx) {
    await sql`delete from idempotency_keys where created_at < now() - interval '7 days' and response is not null`.execute(
      ctx.db,
    )
  },
})
