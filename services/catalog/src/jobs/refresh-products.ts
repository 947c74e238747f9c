import type { Call } from '@haat/kit/call'
import { job } from '@haat/kit/jobs'
import type { CatalogContext } from '../context.ts'
import { rewritePaths } from '../db/categories.ts'
import { reindexProducts } from '../db/reindex.ts'

/** Lets products follow what changed about their categories and brands; a run that is cut off starts over. */
export const refreshProducts = job<CatalogContext>('refresh-products', {
  everySeconds: 5,
  leader: true,
  timeoutSeconds: 3600,
  async run(ctx, call) {
    await refreshCategories(ctx, call)
    await refreshBrands(ctx, call)
  },
})

async function refreshCategories(ctx: CatalogContext, { signal }: Call): Promise<void> {
  const marked = await ctx.db.categories.find({ refreshSince: { $type: 'date' } }).toArray()
  if (marked.length === 0) return
  // Whoever made the change may have died before it said so.
  await ctx.categories.changed()
  const tree = await ctx.categories.current()
  await rewritePaths(ctx.db, tree)
  const ids = [...new Set(marked.flatMap((category) => tree.subtree(category._id)))]
  await reindexProducts(ctx, { categoryIds: { $in: ids }, status: 'active' }, (product) => product, signal)
  for (const { _id, refreshSince } of marked)
    await ctx.db.categories.updateOne({ _id, refreshSince: refreshSince! }, { $unset: { refreshSince: '' } })
}

async function refreshBrands(ctx: CatalogContext, { signal }: Call): Promise<void> {
  const marked = await ctx.db.brands.find({ refreshSince: { $type: 'date' } }).toArray()
  for (const { _id, name, refreshSince } of marked) {
    await reindexProducts(ctx, { brandId: _id }, (product) => ({ ...product, brandName: name }), signal)
    await ctx.db.brands.updateOne({ _id, refreshSince: refreshSince! }, { $unset: { refreshSince: '' } })
  }
}
