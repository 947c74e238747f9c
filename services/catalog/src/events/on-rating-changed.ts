import type { Event } from '@haat/kit/events/envelope'
import type { ReviewApproved, ReviewRejected } from '@haat/proto/review/v1/events'
import type { CatalogContext } from '../context.ts'
import { indexRequested } from '../db/product-events.ts'
import { changeProduct, findProduct } from '../db/products.ts'
import { derive } from '../domain/derive.ts'

/** Takes over a product's rating, unless a later one was first. It is no edit: the product's version stays. */
export async function onRatingChanged(
  ctx: CatalogContext,
  { data }: Event<ReviewApproved | ReviewRejected>,
): Promise<void> {
  const { productId, ratingAvg, ratingCount } = data
  const ratingVersion = Number(data.ratingVersion)
  if (!(await findProduct(ctx, productId))) return
  await changeProduct(ctx, productId, async (before) => {
    if (before.ratingVersion >= ratingVersion) return undefined
    const tree = await ctx.categories.current()
    const next = derive({ ...before, ratingAvg, ratingCount, ratingVersion, revision: before.revision + 1 })
    return { next, events: next.status === 'active' ? [indexRequested(ctx.media, tree, next)] : [] }
  })
}
