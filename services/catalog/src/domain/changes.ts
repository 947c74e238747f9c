import type { Change, Content, Product, Variant, VariantContent } from './product.ts'

type Field = Exclude<keyof Content, 'variants'>
type VariantField = Exclude<keyof VariantContent, 'sku'>

/** The fields of a product: the contract's name, and whether a change on a live product waits for review. */
const fields: Record<Field, { name: string; review: boolean }> = {
  title: { name: 'title', review: true },
  description: { name: 'description', review: true },
  categoryIds: { name: 'category_ids', review: true },
  brandId: { name: 'brand_id', review: true },
  images: { name: 'images', review: true },
  attributes: { name: 'attributes', review: true },
  options: { name: 'options', review: true },
  seo: { name: 'seo', review: false },
}

const variantFields: Record<VariantField, { name: string; review: boolean }> = {
  optionValues: { name: 'option_values', review: true },
  barcode: { name: 'barcode', review: true },
  imageId: { name: 'image_id', review: true },
  price: { name: 'price', review: false },
  compareAtPrice: { name: 'compare_at_price', review: false },
  taxClass: { name: 'tax_class', review: false },
  weightGrams: { name: 'weight_grams', review: false },
  dimensions: { name: 'dimensions', review: false },
  isActive: { name: 'is_active', review: false },
}

const NEW_VARIANT = 'variant'

/** True when the change, made by a vendor on a live product, waits for review. */
export const needsReview = ({ sku, field }: Change): boolean =>
  sku === null ? fields[field as Field].review : field === NEW_VARIANT || variantFields[field as VariantField].review

/** The change's name in the contract: `title`, `variants.SKU-1.barcode`, `variants.SKU-2` (new). */
export function changeName({ sku, field }: Change): string {
  if (sku === null) return fields[field as Field].name
  return field === NEW_VARIANT ? `variants.${sku}` : `variants.${sku}.${variantFields[field as VariantField].name}`
}

/** The SKUs that a list of changes adds. */
export const newSkus = (changes: readonly Change[]): string[] =>
  changes.flatMap(({ sku, field }) => (sku !== null && field === NEW_VARIANT ? [sku] : []))

/** A value as JSON, amounts as decimal text; equal values give equal text. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return inner.toString()
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner))
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
    return inner
  })

/** What has to change for the product to have this content; variants it leaves out are switched off. */
export function diffContent(product: Product, wanted: Content): Change[] {
  const changes: Change[] = []
  for (const field of Object.keys(fields) as Field[])
    pushIfDifferent(changes, null, field, product[field], wanted[field])
  for (const variant of wanted.variants) {
    const standing = product.variants.find(({ sku }) => sku === variant.sku)
    if (!standing) changes.push({ sku: variant.sku, field: NEW_VARIANT, before: null, after: variant })
    else
      for (const field of Object.keys(variantFields) as VariantField[])
        pushIfDifferent(changes, variant.sku, field, standing[field], variant[field])
  }
  for (const { sku, isActive } of product.variants)
    if (isActive && !wanted.variants.some((variant) => variant.sku === sku))
      changes.push({ sku, field: 'isActive', before: true, after: false })
  return changes
}

function pushIfDifferent(changes: Change[], sku: string | null, field: string, before: unknown, after: unknown): void {
  if (toJson(before) !== toJson(after)) changes.push({ sku, field, before, after })
}

/** The product with the changes made; variants that are added get ids from `newId`. */
export function applyChanges(product: Product, changes: readonly Change[], at: Date, newId: () => string): Product {
  const next = { ...product, variants: [...product.variants] }
  for (const { sku, field, after } of changes) {
    if (sku === null) {
      Object.assign(next, { [field]: after })
      continue
    }
    const index = next.variants.findIndex((variant) => variant.sku === sku)
    if (field === NEW_VARIANT) {
      const added: Variant = { ...(after as VariantContent), id: newId(), createdAt: at, updatedAt: at }
      if (index < 0) next.variants.push(added)
    } else if (index >= 0) next.variants[index] = { ...next.variants[index]!, [field]: after, updatedAt: at }
  }
  return next
}
