import type { CatalogContext } from '../context.ts'
import { derive } from '../domain/derive.ts'
import { eachAtOnce } from './batches.ts'
import { indexRequested } from './product-events.ts'
import { findProduct, saveProduct } from './products.ts'

const BATCH = 200

/** Tells each product that it has to say again what search knows of it; `refresh` may change it first. */
export async function reindexProducts(
  ctx: CatalogContext,
  filter: object,
  refresh: (product: Parameters<typeof derive>[0]) => Parameters<typeof derive>[0],
  signal: AbortSignal,
): Promise<void> {
  let after = ''
  for (;;) {
    signal.throwIfAborted()
    const found = await ctx.db.products
      .find({ ...filter, _id: { $gt: after } }, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(BATCH)
      .toArray()
    await eachAtOnce(found, async ({ _id }) => {
      for (let written = false; !written; ) {
        const before = await findProduct(ctx, _id)
        if (!before) return
        const tree = await ctx.categories.current()
        const next = derive({ ...refresh(before), revision: before.revision + 1 })
        const events = next.status === 'active' ? [indexRequested(ctx.media, tree, next)] : []
        written = await saveProduct(ctx, { before, next, events })
      }
    })
    const last = found.at(-1)
    if (!last || found.length < BATCH) return
    after = last._id
  }
}
