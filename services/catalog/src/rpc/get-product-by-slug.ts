import type { Call } from '@haat/kit/call'
import { withoutPending } from '@haat/kit/events/pending'
import type { GetProductBySlugRequest, GetProductBySlugResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toBrand } from '../db/brands.ts'
import { toCategory } from '../db/categories.ts'
import { toProduct } from '../db/messages.ts'
import { productNotFound } from '../db/products.ts'
import { isInsider } from './scope.ts'

export async function getProductBySlug(
  ctx: CatalogContext,
  request: GetProductBySlugRequest,
  call: Call,
): Promise<GetProductBySlugResponse> {
  const product = await ctx.db.products.findOne({ slug: request.slug }, { projection: withoutPending })
  const insider = product !== null && isInsider(call, product.vendorId)
  if (!product || !(product.visible || insider)) throw productNotFound()
  const [tree, brand] = await Promise.all([
    ctx.categories.recent(),
    product.brandId ? ctx.db.brands.findOne({ _id: product.brandId }) : null,
  ])
  const first = product.categoryIds.find((id) => tree.isShown(id))
  return {
    product: toProduct(ctx.media, product, insider),
    breadcrumb: first ? tree.lineage(first).map((node) => toCategory(tree, node)) : [],
    brand: brand ? toBrand(brand) : undefined,
  }
}
