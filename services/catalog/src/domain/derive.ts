import type { Derived, Product, Variant } from './product.ts'
import { textKey, tokensOf } from './text.ts'

const LAST_IN_ASCENDING = 2n ** 63n - 1n
const LAST_IN_DESCENDING = -1n
/** A product without ratings counts as one with five ratings of 3.5. */
const PRIOR = { mean: 3.5, weight: 5 }

/** The rating that few ratings cannot push to an extreme; 0 to 5. */
export const bayesianRating = (avg: number, count: number): number =>
  (PRIOR.mean * PRIOR.weight + avg * count) / (PRIOR.weight + count)

/** Variants by their option values, in the order the options give them. */
export function inOrder(product: Pick<Product, 'options' | 'variants'>): Variant[] {
  const rank = (variant: Variant) =>
    product.options.map((option) =>
      option.values.indexOf(variant.optionValues.find((pair) => pair.name === option.name)?.value ?? ''),
    )
  const ranked = product.variants.map((variant) => ({ variant, rank: rank(variant) }))
  return ranked
    .sort((a, b) => {
      const at = a.rank.findIndex((value, index) => value !== b.rank[index])
      return at < 0 ? 0 : a.rank[at]! - b.rank[at]!
    })
    .map(({ variant }) => variant)
}

/** Fills in what follows from the rest. */
export function derive(product: Omit<Product, keyof Derived>): Product {
  const active = inOrder(product).filter((variant) => variant.isActive)
  const byPrice = active.toSorted((a, b) => Number(a.price.minor - b.price.minor))
  const [cheapest] = byPrice
  return {
    ...product,
    visible: product.status === 'active' && product.vendorActive,
    skus: active.map((variant) => variant.sku),
    barcodes: [...new Set(product.variants.map((variant) => variant.barcode).filter(Boolean))],
    price: cheapest
      ? {
          currency: cheapest.price.currency,
          min: cheapest.price.minor,
          max: byPrice.at(-1)!.price.minor,
          compareAt: cheapest.compareAtPrice?.minor ?? null,
        }
      : null,
    cheapFirst: cheapest?.price.minor ?? LAST_IN_ASCENDING,
    dearFirst: cheapest?.price.minor ?? LAST_IN_DESCENDING,
    ratingRank: bayesianRating(product.ratingAvg, product.ratingCount),
    titleKey: textKey(product.title),
    tokens: tokensOf(product.title, product.brandName, ...product.seo.keywords),
  }
}
