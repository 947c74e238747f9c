import type { Call } from '@haat/kit/call'
import type { BatchGetProductsRequest, BatchGetProductsResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toCard } from '../db/messages.ts'
import { findProducts } from '../db/products.ts'
import { isInsider } from './scope.ts'

export async function batchGetProducts(
  ctx: CatalogContext,
  request: BatchGetProductsRequest,
  call: Call,
): Promise<BatchGetProductsResponse> {
  const found = await findProducts(ctx, request.productIds)
  return {
    products: request.productIds.flatMap((id) => {
      const product = found.get(id)
      if (!product) return []
      const insider = isInsider(call, product.vendorId)
      return product.visible || insider ? [toCard(ctx.media, product, insider)] : []
    }),
  }
}
