import type { Event } from '@haat/kit/events/envelope'
import type { UserForgotten } from '@haat/proto/profile/v1/events'
import type { CatalogContext } from '../context.ts'
import { deleteMedia } from '../db/media.ts'

/** The person's pictures go; a vendor's product images stay, without the name of who uploaded them. */
export async function onUserForgotten(ctx: CatalogContext, { data }: Event<UserForgotten>): Promise<void> {
  const uploadedBy = data.userId
  for (const upload of await ctx.db.uploads.find({ uploadedBy }).toArray()) {
    await ctx.media.removeUpload(upload._id)
    await ctx.db.uploads.deleteOne({ _id: upload._id })
  }
  for (const media of await ctx.db.media.find({ uploadedBy, purpose: 'review' }).toArray())
    await deleteMedia(ctx, media._id)
  await ctx.db.media.updateMany({ uploadedBy }, { $set: { uploadedBy: '' } })
}
