import type { Call } from '@haat/kit/call'
import type { GetProductRequest, GetProductResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toProduct } from '../db/messages.ts'
import { findProduct, productNotFound } from '../db/products.ts'
import { isInsider } from './scope.ts'

export async function getProduct(
  ctx: CatalogContext,
  request: GetProductRequest,
  call: Call,
): Promise<GetProductResponse> {
  const product = await findProduct(ctx, request.productId)
  const insider = product !== null && isInsider(call, product.vendorId)
  if (!product || !(product.visible || insider)) throw productNotFound()
  return { product: toProduct(ctx.media, product, insider) }
}
