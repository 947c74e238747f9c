import type { Call } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import type { SubmitProductRequest, SubmitProductResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toProduct } from '../db/messages.ts'
import { submitted } from '../db/product-events.ts'
import { changeProduct, productNotFound } from '../db/products.ts'
import { missingParts, nextStatus } from '../domain/approval.ts'
import { nextVersion } from '../domain/edit.ts'
import { requireOwner } from './scope.ts'

export async function submitProduct(
  ctx: CatalogContext,
  request: SubmitProductRequest,
  call: Call,
): Promise<SubmitProductResponse> {
  const product = await changeProduct(ctx, request.productId, async (before) => {
    requireOwner(call, before.vendorId, 'catalog.write', productNotFound())
    const status = nextStatus('submit', before.status)
    if (!status)
      throw failedPrecondition('product_status_conflict', `the product is ${before.status}`, { status: before.status })
    const missing = missingParts(before)
    if (missing.length) throw incomplete(missing)
    const at = ctx.now()
    const next = nextVersion(before, { status, waitingSince: at, rejectionReason: '' }, at)
    return { next, events: [submitted(next, call.caller.id)] }
  })
  return { product: toProduct(ctx.media, product, true) }
}

export const incomplete = (missing: string[]) =>
  failedPrecondition('product_incomplete', `missing: ${missing.join(', ')}`, { missing })
