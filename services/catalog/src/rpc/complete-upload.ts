import { type Call, requireUser } from '@haat/kit/call'
import { failedPrecondition, invalid, notFound } from '@haat/kit/errors'
import { isDuplicateKey } from '@haat/kit/mongo'
import type { CompleteUploadRequest, CompleteUploadResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import type { MediaDocument } from '../db/collections.ts'
import { toMediaImage } from '../db/media.ts'
import { mediaKey, type Size } from '../media/media-store.ts'
import { processImage } from '../media/process-image.ts'

export async function completeUpload(
  ctx: CatalogContext,
  request: CompleteUploadRequest,
  call: Call,
): Promise<CompleteUploadResponse> {
  const userId = requireUser(call)
  const id = request.uploadId
  const findDone = () => ctx.db.media.findOne({ _id: id, uploadedBy: userId })
  const done = await findDone()
  if (done) return { image: toMediaImage(ctx, done) }

  const upload = await ctx.db.uploads.findOne({ _id: id, uploadedBy: userId })
  if (!upload || upload.expiresAt < ctx.now()) {
    const meanwhile = await findDone()
    if (meanwhile) return { image: toMediaImage(ctx, meanwhile) }
    throw notFound('upload_not_found', 'no such upload')
  }
  const bytes = await ctx.media.readUpload(id, ctx.maxUploadBytes)
  if (bytes === undefined) {
    const meanwhile = await findDone()
    if (meanwhile) return { image: toMediaImage(ctx, meanwhile) }
    throw failedPrecondition('upload_missing', 'nothing was uploaded yet')
  }
  if (bytes === 'too_large') throw invalid('image_too_large', 'the file is too large', { maxBytes: ctx.maxUploadBytes })
  const image = await processImage(bytes)
  if (!image) throw failedPrecondition('image_invalid', 'not an image that can be read')

  // Files, then the record that names them, then the upload goes: whatever is cut off, a repeat does it again.
  for (const [size, file] of Object.entries(image.files)) await ctx.media.writeMedia(mediaKey(id, size as Size), file)
  const media: MediaDocument = {
    _id: id,
    purpose: upload.purpose,
    vendorId: upload.vendorId,
    uploadedBy: userId,
    width: image.width,
    height: image.height,
    url: null,
    createdAt: ctx.now(),
  }
  await ctx.db.media.insertOne(media).catch((error) => {
    if (!isDuplicateKey(error)) throw error
  })
  await ctx.media.removeUpload(id)
  await ctx.db.uploads.updateOne({ _id: id }, { $set: { completedAt: ctx.now() } })
  return { image: toMediaImage(ctx, media) }
}
