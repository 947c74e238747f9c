import type { Job } from '@haat/kit/jobs'
import type { PaymentContext } from '../context.ts'
import { drivePayouts } from './drive-payouts.ts'
import { driveRefunds } from './drive-refunds.ts'
import { fetchMissedNotices } from './fetch-missed-notices.ts'
import { reconcileIntents } from './reconcile-intents.ts'
import { retryNotices } from './retry-notices.ts'
import { sweepIdempotencyKeys } from './sweep-idempotency-keys.ts'

export const jobs: Job<PaymentContext>[] = [
  drivePayouts,
  driveRefunds,
  fetchMissedNotices,
  reconcileIntents,
  retryNotices,
  sweepIdempotencyKeys,
]
