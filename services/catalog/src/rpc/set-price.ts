import type { Call } from '@haat/kit/call'
import { invalid, notFound } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { SetPriceRequest, SetPriceResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { problemError } from '../db/content.ts'
import { toVariant } from '../db/messages.ts'
import { indexRequested, priceUpdated } from '../db/product-events.ts'
import { archivedError, changeProduct } from '../db/products.ts'
import { priceProblem } from '../domain/content.ts'
import { nextVersion, withChanges } from '../domain/edit.ts'
import { requireOwner } from './scope.ts'

export const variantNotFound = () => notFound('variant_not_found', 'no such SKU')

export async function setPrice(ctx: CatalogContext, request: SetPriceRequest, call: Call): Promise<SetPriceResponse> {
  const { sku } = request
  const row = await ctx.db.variants.findOne({ sku }, { projection: { productId: 1 } })
  if (!row) throw variantNotFound()
  const price = request.price!
  const compareAtPrice = request.compareAtPrice ?? null
  const product = await changeProduct(
    ctx,
    row.productId,
    async (before) => {
      const variant = before.variants.find(({ id }) => id === row._id)
      if (!variant) throw variantNotFound()
      requireOwner(call, before.vendorId, 'catalog.write', variantNotFound())
      if (before.status === 'archived') throw archivedError()
      const problem = priceProblem(price, compareAtPrice)
      if (problem) throw problemError(problem)
      const others = before.variants.filter((other) => other !== variant && other.isActive)
      if (others.some((other) => other.price.currency !== price.currency))
        throw invalid('currency_mixed', 'the other variants have another currency')
      const edit = { by: call.caller.id, at: ctx.now(), newId }
      const { next: changed, prices } = withChanges(
        before,
        [
          { sku, field: 'price', before: variant.price, after: price },
          { sku, field: 'compareAtPrice', before: variant.compareAtPrice, after: compareAtPrice },
        ],
        edit,
      )
      if (prices.length === 0) return undefined
      const next = nextVersion(changed, {}, edit.at)
      const events = prices.map((change) => priceUpdated(next, change))
      if (next.status === 'active') events.push(indexRequested(ctx.media, await ctx.categories.current(), next))
      return { next, events }
    },
    variantNotFound,
  )
  return { variant: toVariant(ctx.media, product, product.variants.find(({ id }) => id === row._id)!) }
}
