import type { Call } from '@haat/kit/call'
import type { ArchiveProductRequest, ArchiveProductResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toProduct } from '../db/messages.ts'
import { archived, indexRequested } from '../db/product-events.ts'
import { changeProduct, productNotFound } from '../db/products.ts'
import { nextStatus } from '../domain/approval.ts'
import { decided, nextVersion } from '../domain/edit.ts'
import { requireOwner } from './scope.ts'

export async function archiveProduct(
  ctx: CatalogContext,
  request: ArchiveProductRequest,
  call: Call,
): Promise<ArchiveProductResponse> {
  const product = await changeProduct(ctx, request.productId, async (before) => {
    requireOwner(call, before.vendorId, 'catalog.write', productNotFound())
    if (before.status === 'archived') return undefined
    const edit = { by: call.caller.id, at: ctx.now() }
    const open = before.openChangeRequest
    const closed = open ? [decided(open, 'superseded', edit)] : []
    const next = nextVersion(
      before,
      {
        status: nextStatus('archive', before.status)!,
        openChangeRequest: null,
        waitingSince: null,
        unsaved: { ...before.unsaved, changeRequests: [...before.unsaved.changeRequests, ...closed] },
      },
      edit.at,
    )
    return { next, events: [archived(next), indexRequested(ctx.media, await ctx.categories.current(), next)] }
  })
  return { product: toProduct(ctx.media, product, true) }
}
