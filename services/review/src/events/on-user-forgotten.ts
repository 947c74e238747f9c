import type { Event } from '@haat/kit/events/envelope'
import type { UserForgotten } from '@haat/proto/profile/v1/events'
import type { ReviewContext } from '../context.ts'

/** Reviews and reports stay without their author. The pictures go, as their files do in catalog. */
export async function onUserForgotten(ctx: ReviewContext, { data }: Event<UserForgotten>): Promise<void> {
  const { userId } = data
  await ctx.db.reviews.updateMany(
    { userId },
    { $set: { userId: '', authorName: '', images: [] }, $inc: { version: 1 } },
  )
  for (const { _id } of await ctx.db.flags.find({ createdBy: userId }, { projection: { _id: 1 } }).toArray())
    await ctx.db.flags.updateOne({ _id }, { $set: { createdBy: '', note: '', key: _id } })
}
