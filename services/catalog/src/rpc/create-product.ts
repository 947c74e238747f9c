import { requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { newId } from '@haat/kit/id'
import type { CreateProductRequest, CreateProductResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { checkContent } from '../db/content.ts'
import { toProduct } from '../db/messages.ts'
import { created } from '../db/product-events.ts'
import { findProduct, insertProducts } from '../db/products.ts'
import { followVendor, getVendor } from '../db/vendors.ts'
import { createProduct as newProduct } from '../domain/edit.ts'
import { makeSlug } from '../domain/slug.ts'

export async function createProduct(
  ctx: CatalogContext,
  request: CreateProductRequest,
  call: Call,
): Promise<CreateProductResponse> {
  const vendorId = requireVendor(call, request.vendorId, ['catalog.write'])
  const vendor = await getVendor(ctx, vendorId)
  const { content, brandName } = await checkContent(ctx, vendorId, request.content!)
  const product = newProduct(
    {
      vendorId,
      slug: request.slug ?? makeSlug(content.title, 'product'),
      content,
      brandName,
      vendorActive: vendor.isActive,
    },
    { by: call.caller.id, at: ctx.now(), newId },
  )
  const slugIsFree = request.slug === undefined
  const [failure] = await insertProducts(ctx, [{ product, slugIsFree, events: (stored) => [created(stored)] }])
  if (failure) throw failure.error
  await followVendor(ctx, vendor)
  return { product: toProduct(ctx.media, (await findProduct(ctx, product._id))!, true) }
}
