import type { RpcTable } from '@haat/kit/grpc-server'
import type { ReviewServiceImplementation } from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { flagReview } from './flag-review.ts'
import { listModerationQueue } from './list-moderation-queue.ts'
import { listMyReviews } from './list-my-reviews.ts'
import { listReviews } from './list-reviews.ts'
import { listVendorReviews } from './list-vendor-reviews.ts'
import { moderateReview } from './moderate-review.ts'
import { replyToReview } from './reply-to-review.ts'
import { submitReview } from './submit-review.ts'

export const rpc: RpcTable<ReviewContext, ReviewServiceImplementation> = {
  flagReview,
  listModerationQueue,
  listMyReviews,
  listReviews,
  listVendorReviews,
  moderateReview,
  replyToReview,
  submitReview,
}
