import { type EventHandler, onIdempotent } from '@haat/kit/events/on'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { ReviewApproved, ReviewRejected } from '@haat/proto/review/v1/events'
import { VendorApproved, VendorRejected, VendorSuspended, VendorUpdated } from '@haat/proto/vendor/v1/events'
import type { CatalogContext } from '../context.ts'
import { onRatingChanged } from './on-rating-changed.ts'
import { onUserForgotten } from './on-user-forgotten.ts'
import { onVendorApproved, onVendorEnded, onVendorUpdated } from './on-vendor-changed.ts'

/** A vendor with many products takes a while. */
const slowly = { timeoutSeconds: 300, concurrency: 2 }

export const events: EventHandler<CatalogContext>[] = [
  onIdempotent(VendorApproved, onVendorApproved, slowly),
  onIdempotent(VendorSuspended, onVendorEnded, slowly),
  onIdempotent(VendorRejected, onVendorEnded, slowly),
  onIdempotent(VendorUpdated, onVendorUpdated, slowly),
  onIdempotent(ReviewApproved, onRatingChanged),
  onIdempotent(ReviewRejected, onRatingChanged),
  onIdempotent(UserForgotten, onUserForgotten),
]
