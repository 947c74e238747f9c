import type { CatalogContext } from '../context.ts'
import { changeName, newSkus } from '../domain/changes.ts'
import { type Edit, editProduct } from '../domain/edit.ts'
import type { Change, Product } from '../domain/product.ts'
import type { CheckedContent } from './content.ts'
import { indexRequested, priceUpdated, submitted, updated } from './product-events.ts'
import { findProducts, type ProductWrite, skuTaken } from './products.ts'

/** The write that gives a product new content, or undefined when nothing changes. ALREADY_EXISTS `sku_taken`. */
export async function planEdit(
  ctx: CatalogContext,
  before: Product,
  { content, brandName }: CheckedContent,
  mode: 'apply' | 'review',
  edit: Edit,
): Promise<Pick<ProductWrite, 'next' | 'events'> | undefined> {
  const result = editProduct(before, { ...content, brandName }, mode, edit)
  if (!result) return undefined
  const { next, applied, prices, opened } = result
  // A change request claims nothing, but should not wait for what cannot be.
  if (opened) await refuseTaken(ctx, newSkus(opened.changes))
  const events = [
    ...(applied.length ? [updated(next, changedFields(applied))] : []),
    ...prices.filter((row) => row.oldPrice).map((row) => priceUpdated(next, row)),
    ...(opened ? [submitted(next, edit.by, opened._id)] : []),
    ...(applied.length && next.status === 'active'
      ? [indexRequested(ctx.media, await ctx.categories.current(), next)]
      : []),
  ]
  return { next, events }
}

export const changedFields = (changes: readonly Change[]): string[] => [
  ...new Set(changes.map((change) => (change.sku === null ? changeName(change) : 'variants'))),
]

async function refuseTaken(ctx: CatalogContext, skus: string[]): Promise<void> {
  if (skus.length === 0) return
  const rows = await ctx.db.variants.find({ sku: { $in: skus } }, { projection: { sku: 1, productId: 1 } }).toArray()
  const owners = await findProducts(
    ctx,
    rows.map((row) => row.productId),
  )
  const taken = rows.find((row) => owners.get(row.productId)?.variants.some((variant) => variant.id === row._id))
  if (taken) throw skuTaken(taken.sku)
}
