import type { VariantDetail } from '@haat/proto/catalog/v1/catalog'
import type { CartContext } from '../context.ts'
import type { Item } from '../domain/cart.ts'

/** What catalog has of these SKUs now; unknown ones are missing. */
export async function findVariants(ctx: CartContext, skus: readonly string[]): Promise<Map<string, VariantDetail>> {
  if (skus.length === 0) return new Map()
  const { variants } = await ctx.catalog.batchGetVariants({ skus: [...skus] })
  return new Map(variants.map((variant) => [variant.sku, variant]))
}

/** What can be had of these SKUs now; unknown ones are missing. */
export async function findStock(ctx: CartContext, skus: readonly string[]): Promise<Map<string, number>> {
  if (skus.length === 0) return new Map()
  const { stocks } = await ctx.inventory.batchGetStock({ skus: [...skus] })
  return new Map(stocks.map((stock) => [stock.sku, stock.available]))
}

/** A variant as a new line, at its price of now. */
export const toNewItem = (variant: VariantDetail, qty: number): Item => ({
  sku: variant.sku,
  productId: variant.productId,
  vendorId: variant.vendorId,
  title: variant.title,
  image: variant.imageUrl,
  optionValues: Object.entries(variant.optionValues).map(([name, value]) => ({ name, value })),
  qty,
  priceAtAdd: variant.price!.minor,
})
