import type { Call } from '@haat/kit/call'
import { withoutPending } from '@haat/kit/events/pending'
import type { BatchGetProductsBySlugRequest, BatchGetProductsBySlugResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toBrand } from '../db/brands.ts'
import { toCategory } from '../db/categories.ts'
import { toProduct } from '../db/messages.ts'
import { isInsider } from './scope.ts'

export async function batchGetProductsBySlug(
  ctx: CatalogContext,
  request: BatchGetProductsBySlugRequest,
  call: Call,
): Promise<BatchGetProductsBySlugResponse> {
  const [tree, found] = await Promise.all([
    ctx.categories.recent(),
    ctx.db.products.find({ slug: { $in: request.slugs } }, { projection: withoutPending }).toArray(),
  ])
  const brandIds = [...new Set(found.flatMap(({ brandId }) => brandId ?? []))]
  const brands = brandIds.length ? await ctx.db.brands.find({ _id: { $in: brandIds } }).toArray() : []
  const brandById = new Map(brands.map((brand) => [brand._id, brand]))
  const bySlug = new Map(found.map((product) => [product.slug, product]))
  return {
    products: request.slugs.flatMap((slug) => {
      const product = bySlug.get(slug)
      if (!product) return []
      const insider = isInsider(call, product.vendorId)
      if (!(product.visible || insider)) return []
      const first = product.categoryIds.find((id) => tree.isShown(id))
      const brand = product.brandId ? brandById.get(product.brandId) : undefined
      return {
        product: toProduct(ctx.media, product, insider),
        breadcrumb: first ? tree.lineage(first).map((node) => toCategory(tree, node)) : [],
        brand: brand ? toBrand(brand) : undefined,
      }
    }),
  }
}
