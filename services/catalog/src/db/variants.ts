import { withoutPending } from '@haat/kit/events/pending'
import type { CatalogContext } from '../context.ts'
import type { Product, Variant } from '../domain/product.ts'

/** What carts and offers never ask of a product, and what is long. */
const UNUSED = {
  description: 0,
  attributes: 0,
  seo: 0,
  tokens: 0,
  openChangeRequest: 0,
  unsaved: 0,
  ...withoutPending,
} as const

type LeanProduct = Omit<Product, keyof typeof UNUSED>

/**
 * Variants by their rows: two queries, however many. What is answered is what the products say; a row whose product does not
 * have the variant is a claim that came to nothing.
 */
export async function findVariants(
  ctx: CatalogContext,
  filter: object,
  limit: number,
): Promise<{ product: Product; variant: Variant }[]> {
  const rows = await ctx.db.variants
    .find(filter, { projection: { productId: 1 } })
    .limit(limit)
    .toArray()
  if (rows.length === 0) return []
  const ids = [...new Set(rows.map((row) => row.productId))]
  const products = await ctx.db.products.find<LeanProduct>({ _id: { $in: ids } }, { projection: UNUSED }).toArray()
  const byId = new Map(products.map((product) => [product._id, product]))
  return rows.flatMap((row) => {
    const product = byId.get(row.productId) as Product | undefined
    const variant = product?.variants.find(({ id }) => id === row._id)
    return product && variant ? [{ product, variant }] : []
  })
}
