import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { UpdateProductRequest, UpdateProductResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { checkContent } from '../db/content.ts'
import { toChangeRequest, toProduct } from '../db/messages.ts'
import { planEdit } from '../db/plan-edit.ts'
import { archivedError, changeProduct, productNotFound, versionConflict } from '../db/products.ts'
import { editMode } from '../domain/approval.ts'
import { requireOwner } from './scope.ts'

/** Variants are never deleted, so switched-off ones count. */
const MAX_VARIANTS = 500

export async function updateProduct(
  ctx: CatalogContext,
  request: UpdateProductRequest,
  call: Call,
): Promise<UpdateProductResponse> {
  const product = await changeProduct(ctx, request.productId, async (before) => {
    requireOwner(call, before.vendorId, 'catalog.write', productNotFound())
    const mode = editMode(before.status, isStaff(call, 'catalog.write') ? 'staff' : 'vendor')
    if (mode === 'refuse') throw archivedError()
    if (request.expectedVersion !== BigInt(before.version)) throw versionConflict(before)
    const wanted = await checkContent(ctx, before.vendorId, request.content!, before)
    const skus = new Set([...before.variants, ...wanted.content.variants].map((variant) => variant.sku))
    if (skus.size > MAX_VARIANTS)
      throw failedPrecondition('variant_limit_reached', `at most ${MAX_VARIANTS} variants, switched-off ones included`)
    return planEdit(ctx, before, wanted, mode, { by: call.caller.id, at: ctx.now(), newId })
  })
  const { openChangeRequest } = product
  return {
    product: toProduct(ctx.media, product, true),
    changeRequest: openChangeRequest ? toChangeRequest(openChangeRequest) : undefined,
  }
}
