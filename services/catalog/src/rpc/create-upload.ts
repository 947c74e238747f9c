import { isStaff } from '@haat/kit/authorize'
import { type Call, requireUser } from '@haat/kit/call'
import { denied, exhausted, failedPrecondition, invalid } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { CreateUploadRequest, CreateUploadResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import type { Purpose } from '../db/collections.ts'
import { uploadPurpose } from '../db/messages.ts'
import { findProduct, productNotFound } from '../db/products.ts'

const MAX_OPEN_UPLOADS = 50

export async function createUpload(
  ctx: CatalogContext,
  request: CreateUploadRequest,
  call: Call,
): Promise<CreateUploadResponse> {
  const userId = requireUser(call)
  const { contentType, sizeBytes } = request
  if (sizeBytes > ctx.maxUploadBytes)
    throw invalid('image_too_large', 'the file is too large', { maxBytes: ctx.maxUploadBytes })
  const purpose = uploadPurpose.toName(request.purpose)
  const vendorId = await vendorOf(ctx, request, purpose, call)
  const now = ctx.now()
  const open = await ctx.db.uploads.countDocuments({
    uploadedBy: userId,
    expiresAt: { $gt: now },
    completedAt: { $exists: false },
  })
  if (open >= MAX_OPEN_UPLOADS)
    throw exhausted('upload_limit_reached', 'too many uploads are open; complete some first')

  const id = newId()
  const expiresAt = new Date(now.getTime() + ctx.uploadTtlMs)
  await ctx.db.uploads.insertOne({
    _id: id,
    purpose,
    vendorId,
    uploadedBy: userId,
    contentType,
    sizeBytes,
    createdAt: now,
    expiresAt,
  })
  const target = await ctx.media.uploadTarget(id, { contentType, sizeBytes, expiresAt })
  return { uploadId: id, ...target, expiresAt }
}

/** The vendor an upload will belong to, if any; PERMISSION_DENIED `upload_forbidden` when the caller may not. */
async function vendorOf(
  ctx: CatalogContext,
  request: CreateUploadRequest,
  purpose: Purpose,
  call: Call,
): Promise<string | null> {
  const { caller } = call
  const forbidden = denied('upload_forbidden', 'you may not upload this')
  const writes = isStaff(call, 'catalog.write')
  if (purpose === 'review') return null
  if (purpose === 'brand_logo') {
    if (!writes) throw forbidden
    return null
  }
  const own = request.vendorId === undefined || request.vendorId === caller.vendorId ? caller.vendorId : undefined
  if (purpose === 'vendor_logo') {
    if (!own) throw forbidden
    return own
  }
  const sells = caller.vendorPermissions.some((permission) => permission === '*' || permission === 'catalog.write')
  const member = own !== undefined && sells ? own : undefined
  if (!member && !writes) throw forbidden
  const product = request.productId ? await findProduct(ctx, request.productId) : undefined
  const vendorId = member ?? request.vendorId ?? product?.vendorId
  if (!vendorId) throw invalid('vendor_missing', 'name the vendor the image belongs to')
  if (request.productId && product?.vendorId !== vendorId) throw productNotFound()
  if (product && product.images.length >= ctx.imagesPerProduct)
    throw failedPrecondition('image_limit_reached', `at most ${ctx.imagesPerProduct} images`)
  return vendorId
}
