import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { denied } from '@haat/kit/errors'
import type {
  ListModerationQueueRequest,
  ListModerationQueueResponse,
  ModerationItem,
} from '@haat/proto/review/v1/review'
import type { ReviewContext } from '../context.ts'
import { longestWaitFirst } from '../db/cursor.ts'
import { toFlag, toReview } from '../db/messages.ts'
import { pageOfReviews } from '../db/page-of-reviews.ts'
import type { Review } from '../domain/review.ts'

const MAX_FLAGS = 20

export async function listModerationQueue(
  ctx: ReviewContext,
  request: ListModerationQueueRequest,
  call: Call,
): Promise<ListModerationQueueResponse> {
  // A service that asks on a person's behalf may no more than the person.
  if (call.caller.kind === 'user' && !isStaff(call, 'reviews.moderate'))
    throw denied('permission_missing', 'you may not do this')
  const filter = { ...(request.flaggedOnly ? { isFlagged: true } : {}), waitingSince: { $type: 'date' } }
  const { items, nextPageToken } = await pageOfReviews(ctx, request, { $and: [filter] }, longestWaitFirst)
  return { items: await Promise.all(items.map((review) => toItem(ctx, review))), nextPageToken }
}

async function toItem(ctx: ReviewContext, review: Review): Promise<ModerationItem> {
  const message = toReview(review, 'all')
  if (!review.isFlagged) return { review: message, flags: [], flagCount: 0 }
  const open = { reviewId: review._id, round: review.round }
  const [flags, flagCount] = await Promise.all([
    ctx.db.flags.find(open).sort({ createdAt: -1 }).limit(MAX_FLAGS).toArray(),
    ctx.db.flags.countDocuments(open),
  ])
  return { review: message, flags: flags.map(toFlag), flagCount }
}
