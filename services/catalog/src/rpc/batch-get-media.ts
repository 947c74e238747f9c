import type { BatchGetMediaRequest, BatchGetMediaResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toMediaImage } from '../db/media.ts'
import { uploadPurpose } from '../db/messages.ts'

export async function batchGetMedia(
  ctx: CatalogContext,
  request: BatchGetMediaRequest,
): Promise<BatchGetMediaResponse> {
  const found = await ctx.db.media.find({ _id: { $in: request.imageIds } }).toArray()
  const byId = new Map(found.map((media) => [media._id, media]))
  return {
    media: request.imageIds.flatMap((id) => {
      const media = byId.get(id)
      if (!media) return []
      const { uploadedBy, vendorId } = media
      return [
        {
          image: toMediaImage(ctx, media),
          purpose: uploadPurpose.fromName(media.purpose),
          uploadedBy,
          vendorId: vendorId ?? undefined,
        },
      ]
    }),
  }
}
