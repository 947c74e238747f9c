import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { ReviewApproved, ReviewRejected } from '@haat/proto/review/v1/events'
import type { VendorContext } from '../context.ts'
import type { Database } from '../db/schema.ts'

/** Keeps the vendor's newest rating; an event that was overtaken changes nothing. */
export async function onReviewCounted(
  _ctx: VendorContext,
  event: Event<ReviewApproved | ReviewRejected>,
  tx: Transaction<Database>,
): Promise<void> {
  const { vendorId, vendorRatingAvg, vendorRatingCount, vendorRatingVersion } = event.data
  await tx
    .updateTable('vendors')
    .set({ rating_avg: vendorRatingAvg, rating_count: vendorRatingCount, rating_version: vendorRatingVersion })
    .where('id', '=', vendorId)
    .where('rating_version', '<', vendorRatingVersion)
    .execute()
}
