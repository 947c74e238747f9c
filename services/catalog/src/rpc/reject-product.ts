import type { Call } from '@haat/kit/call'
import type { RejectProductRequest, RejectProductResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toProduct } from '../db/messages.ts'
import { rejected } from '../db/product-events.ts'
import { changeProduct } from '../db/products.ts'
import { nextStatus } from '../domain/approval.ts'
import { decided, nextVersion } from '../domain/edit.ts'
import { requireWaiting } from './waiting.ts'

export async function rejectProduct(
  ctx: CatalogContext,
  request: RejectProductRequest,
  call: Call,
): Promise<RejectProductResponse> {
  const { reason } = request
  const by = call.caller.id
  const product = await changeProduct(ctx, request.productId, async (before) => {
    requireWaiting(before, request.changeRequestId)
    const at = ctx.now()
    const open = before.openChangeRequest
    const next = open
      ? nextVersion(
          before,
          {
            openChangeRequest: null,
            waitingSince: null,
            unsaved: {
              ...before.unsaved,
              changeRequests: [...before.unsaved.changeRequests, decided(open, 'rejected', { by, at }, reason)],
            },
          },
          at,
        )
      : nextVersion(
          before,
          { status: nextStatus('reject', before.status)!, rejectionReason: reason, waitingSince: null },
          at,
        )
    return { next, events: [rejected(next, by, reason, open?._id)] }
  })
  return { product: toProduct(ctx.media, product, true) }
}
