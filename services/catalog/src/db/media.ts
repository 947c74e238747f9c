import type { Image } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { mediaKey, type Size, sizes } from '../media/media-store.ts'
import type { MediaDocument } from './collections.ts'
import { toProductImage } from './content.ts'
import { toImage } from './messages.ts'

export const toMediaImage = (ctx: CatalogContext, media: MediaDocument): Image =>
  toImage(ctx.media, toProductImage(media, ''))

/** Deletes an image for good: the files first, so that a repeat finds what is left. */
export async function deleteMedia(ctx: CatalogContext, id: string): Promise<void> {
  for (const size of Object.keys(sizes) as Size[]) await ctx.media.removeMedia(mediaKey(id, size))
  await ctx.db.media.deleteOne({ _id: id })
}
