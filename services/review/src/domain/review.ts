export type Status = 'pending' | 'approved' | 'rejected'

export type Image = { id: string; thumbUrl: string; fullUrl: string }
export type Reply = { body: string; createdAt: Date; updatedAt: Date }

export type Review = {
  _id: string
  productId: string
  vendorId: string
  /** The author; empty once forgotten. */
  userId: string
  authorName: string
  orderId: string
  orderNo: string
  orderItemId: string
  sku: string
  rating: number
  title: string
  body: string
  images: Image[]
  status: Status
  /** `status` is approved. */
  isApproved: boolean
  rejectionReason: string
  reply: Reply | null
  /** Somebody reported it in this round. */
  isFlagged: boolean
  /** Since when moderators have to look at it; null when they have not. */
  waitingSince: Date | null
  /** Grows with every decision. Flags belong to the round they were raised in, so that a decision closes them all at once. */
  round: number
  version: number
  /** A change of status that is not in the ratings yet and that nobody was told of. */
  unsettled?: { version: number; at: Date }
  createdAt: Date
  updatedAt: Date
}

/** What a moderator's decision changes; undefined when it changes nothing. */
export function decide(
  before: Review,
  decision: { status: 'approved' | 'rejected'; reason: string },
  at: Date,
): Partial<Review> | undefined {
  const rejectionReason = decision.status === 'rejected' ? decision.reason : ''
  const moves = before.status !== decision.status
  if (!moves && !before.isFlagged && before.rejectionReason === rejectionReason) return undefined
  return {
    status: decision.status,
    isApproved: decision.status === 'approved',
    rejectionReason,
    isFlagged: false,
    waitingSince: null,
    round: before.round + 1,
    updatedAt: at,
    ...(moves ? { unsettled: { version: before.version + 1, at } } : {}),
  }
}

/** A reply with this text; undefined when the review has it. */
export function withReply(before: Review, body: string, at: Date): Partial<Review> | undefined {
  if (before.reply?.body === body) return undefined
  return { reply: { body, createdAt: before.reply?.createdAt ?? at, updatedAt: at }, updatedAt: at }
}
