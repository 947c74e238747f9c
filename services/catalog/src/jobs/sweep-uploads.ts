import { job } from '@haat/kit/jobs'
import type { CatalogContext } from '../context.ts'
import { deleteMedia } from '../db/media.ts'

const BATCH = 500
/** Whoever is just completing one gets to its end. */
const GRACE_MS = 600_000

/** Deletes what was uploaded and never completed, or came after that. */
export const sweepUploads = job<CatalogContext>('sweep-uploads', {
  everySeconds: 300,
  leader: true,
  async run(ctx) {
    const before = new Date(ctx.now().getTime() - GRACE_MS)
    const expired = await ctx.db.uploads
      .find({ expiresAt: { $lt: before } })
      .limit(BATCH)
      .toArray()
    for (const { _id } of expired) {
      await ctx.media.removeUpload(_id)
      // One that was cut off while it was taken in left files that no record names.
      if (!(await ctx.db.media.findOne({ _id }))) await deleteMedia(ctx, _id)
      await ctx.db.uploads.deleteOne({ _id })
    }
  },
})
