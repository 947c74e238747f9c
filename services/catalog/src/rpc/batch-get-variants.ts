import type { BatchGetVariantsRequest, BatchGetVariantsResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toVariantDetail } from '../db/messages.ts'
import { findVariants } from '../db/variants.ts'

export async function batchGetVariants(
  ctx: CatalogContext,
  request: BatchGetVariantsRequest,
): Promise<BatchGetVariantsResponse> {
  const [tree, found] = await Promise.all([
    ctx.categories.recent(),
    findVariants(ctx, { sku: { $in: request.skus } }, request.skus.length),
  ])
  const bySku = new Map(found.map((entry) => [entry.variant.sku, entry]))
  return {
    variants: request.skus.flatMap((sku) => {
      const entry = bySku.get(sku)
      return entry && entry.product.status !== 'draft'
        ? [toVariantDetail(ctx.media, tree, entry.product, entry.variant)]
        : []
    }),
  }
}
