import type { Call } from '@haat/kit/call'
import { aborted } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { ApproveProductRequest, ApproveProductResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toProduct } from '../db/messages.ts'
import { approved, indexRequested } from '../db/product-events.ts'
import { changeProduct, type ProductWrite, versionConflict } from '../db/products.ts'
import { missingParts, nextStatus } from '../domain/approval.ts'
import { problemsOf } from '../domain/content.ts'
import { decided, type Edit, nextVersion, withChanges } from '../domain/edit.ts'
import type { Product } from '../domain/product.ts'
import { incomplete } from './submit-product.ts'
import { requireWaiting } from './waiting.ts'

export async function approveProduct(
  ctx: CatalogContext,
  request: ApproveProductRequest,
  call: Call,
): Promise<ApproveProductResponse> {
  const product = await changeProduct(ctx, request.productId, async (before) => {
    requireWaiting(before, request.changeRequestId)
    if (request.expectedVersion !== undefined && request.expectedVersion !== BigInt(before.version))
      throw versionConflict(before)
    const edit = { by: call.caller.id, at: ctx.now(), newId }
    return before.openChangeRequest ? approveEdit(ctx, before, edit) : approveNew(ctx, before, edit)
  })
  return { product: toProduct(ctx.media, product, true) }
}

type Planned = Pick<ProductWrite, 'next' | 'events'>

async function approveNew(ctx: CatalogContext, before: Product, { by, at }: Edit): Promise<Planned> {
  const missing = missingParts(before)
  if (missing.length) throw incomplete(missing)
  const next = nextVersion(
    before,
    {
      status: nextStatus('approve', before.status)!,
      publishedAt: before.publishedAt ?? at,
      waitingSince: null,
      rejectionReason: '',
    },
    at,
  )
  return { next, events: [approved(next, by), indexRequested(ctx.media, await ctx.categories.current(), next)] }
}

/** Makes the request's changes on the product as it is now: what others changed since stays. */
async function approveEdit(ctx: CatalogContext, before: Product, edit: Edit): Promise<Planned> {
  const request = before.openChangeRequest!
  const { next: changed } = withChanges(before, request.changes, edit)
  const onSale = { ...changed, variants: changed.variants.filter((variant) => variant.isActive) }
  const [problem] = problemsOf(onSale, ctx)
  if (problem)
    throw aborted('change_request_conflict', `the product changed and the edit no longer fits: ${problem.message}`)
  const brand = changed.brandId ? await ctx.db.brands.findOne({ _id: changed.brandId }) : null
  const next = nextVersion(
    changed,
    {
      brandName: brand?.name ?? '',
      openChangeRequest: null,
      waitingSince: null,
      unsaved: {
        ...changed.unsaved,
        changeRequests: [...changed.unsaved.changeRequests, decided(request, 'approved', edit)],
      },
    },
    edit.at,
  )
  const tree = await ctx.categories.current()
  return {
    next,
    events: [approved(next, edit.by, { changeRequestId: request._id }), indexRequested(ctx.media, tree, next)],
  }
}
