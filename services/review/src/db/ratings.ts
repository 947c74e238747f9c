import { isDuplicateKey } from '@haat/kit/mongo'
import type { ReviewContext } from '../context.ts'
import { averageOf, countOf, noStars, type Stars, starsOf } from '../domain/rating.ts'

export type Subject = { productId: string } | { vendorId: string }
export type Rating = { stars: Stars; version: number }

const idOf = (subject: Subject): string =>
  'productId' in subject ? `product:${subject.productId}` : `vendor:${subject.vendorId}`

/** The rating as it was counted last. */
export async function findRating(ctx: ReviewContext, subject: Subject): Promise<Rating> {
  const { stars = noStars, version = 0 } = (await ctx.db.ratings.findOne({ _id: idOf(subject) })) ?? {}
  return { stars, version }
}

/**
 * Counts the approved reviews afresh and answers a rating that includes every change made before this call. Each count is
 * written only on top of the version that was read before counting, so a later version never knows less than an earlier one.
 */
export async function recount(ctx: ReviewContext, subject: Subject): Promise<Rating> {
  let first: number | undefined
  for (;;) {
    const before = await findRating(ctx, subject)
    first ??= before.version
    // The last of two others began to count after we came: what it counted includes our change.
    if (before.version >= first + 2) return before
    const next = { stars: await countStars(ctx, subject), version: before.version + 1 }
    if (await write(ctx, subject, next)) return next
  }
}

async function countStars(ctx: ReviewContext, subject: Subject): Promise<Stars> {
  const groups = await ctx.db.reviews
    .aggregate<{ _id: number; count: number | bigint }>([
      { $match: { ...subject, isApproved: true } },
      { $group: { _id: '$rating', count: { $sum: 1 } } },
    ])
    .toArray()
  return starsOf(groups.map(({ _id, count }) => [_id, Number(count)]))
}

/** False when somebody else wrote this version. An unchanged count is a version too: it outdates counts under way. */
async function write(ctx: ReviewContext, subject: Subject, next: Rating): Promise<boolean> {
  const _id = idOf(subject)
  const set = { ...next, updatedAt: ctx.now() }
  if (next.version > 1) {
    const { matchedCount } = await ctx.db.ratings.updateOne({ _id, version: next.version - 1 }, { $set: set })
    return matchedCount === 1
  }
  try {
    await ctx.db.ratings.insertOne({ _id, ...set })
    return true
  } catch (error) {
    if (isDuplicateKey(error)) return false
    throw error
  }
}

export const averageAndCount = ({ stars }: Rating) => ({ ratingAvg: averageOf(stars), ratingCount: countOf(stars) })
