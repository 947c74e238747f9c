import type { Call } from '@haat/kit/call'
import type { GetProductBySlugRequest, GetProductBySlugResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { productNotFound } from '../db/products.ts'
import { batchGetProductsBySlug } from './batch-get-products-by-slug.ts'

export async function getProductBySlug(
  ctx: CatalogContext,
  request: GetProductBySlugRequest,
  call: Call,
): Promise<GetProductBySlugResponse> {
  const { products } = await batchGetProductsBySlug(ctx, { slugs: [request.slug] }, call)
  if (!products[0]) throw productNotFound()
  return products[0]
}
