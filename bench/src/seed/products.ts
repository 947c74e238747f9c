import type { CatalogRow } from '@haat/devnet/csv'
import { leaves, slugOf } from '@haat/devnet/seed/taxonomy'

export const VENDORS = 20
export const CSV_COLUMNS = [
  'vendor',
  'product',
  'title',
  'description',
  'categories',
  'sku',
  'price',
  'currency',
  'tax_class',
  'weight_grams',
  'barcode',
  'image_urls',
  'option:Size',
  'attr:Origin',
  'attr:Material',
]

const kinds = ['Classic', 'Everyday', 'Heritage', 'Premium', 'Village', 'Festival', 'Little']
const origins = ['Sylhet', 'Tangail', 'Rajshahi', 'Bogura', 'Cumilla']
const materials = ['Cotton', 'Jute', 'Clay', 'Brass', 'Bamboo']
const sizes = ['Small', 'Medium', 'Large']

export const vendorPerson = (index: number) => ({
  name: `Vendor Person ${index}`,
  email: `bench-vendor-${index}@example.com`,
  password: 'lorry-teapot-crane-9',
})

/** The SKU of a product's variant. */
export const skuOf = (product: number, variant = 0): string => `BENCH-${product}-${variant}`
/** Which vendor sells it: neighbours in the list are of different vendors. */
export const vendorOf = (product: number): number => product % VENDORS
/** Every fifth comes in three sizes, the others in one. */
const variantsOf = (product: number): number => (product % 5 === 0 ? 3 : 1)
/** In pairs, one product in ten is offered by two vendors under one barcode. */
const barcodeOf = (product: number): string =>
  product % VENDORS < 2 ? withCheckDigit(String(890_000_000_000 + Math.floor(product / VENDORS))) : ''

function withCheckDigit(digits: string): string {
  const sum = [...digits].reduce((all, digit, at) => all + Number(digit) * (at % 2 ? 3 : 1), 0)
  return `${digits}${(10 - (sum % 10)) % 10}`
}

/** The rows of products `from` to before `to`, one group each; the same numbers give the same products. */
export function csvRows(from: number, to: number, vendorSlugs: readonly string[], prefix = ''): CatalogRow[][] {
  return Array.from({ length: to - from }, (_, offset) => {
    const product = from + offset
    const leaf = leaves[product % leaves.length]!
    const [least, most] = leaf.taka
    const title = `${kinds[product % kinds.length]} ${leaf.nouns[product % 3]} ${prefix}${product}`
    const origin = origins[product % origins.length]!
    const many = variantsOf(product)
    return Array.from({ length: many }, (_, variant) => ({
      line: offset + 2,
      cells: [
        vendorSlugs[vendorOf(product) % vendorSlugs.length]!,
        `${prefix}${product}`,
        title,
        `${title} from ${origin}. Made in small batches, checked by hand before it leaves the workshop, and easy to look after.`,
        slugOf(leaf.name),
        `${prefix}${skuOf(product, variant)}`,
        String(least + ((product * 7919 + variant * 131) % (most - least + 1))),
        'BDT',
        leaf.taxClass,
        String(leaf.grams),
        variant === 0 && !prefix ? barcodeOf(product) : '',
        `https://images.example/${product}-1.webp|https://images.example/${product}-2.webp`,
        many > 1 ? sizes[variant]! : '',
        origin,
        materials[product % materials.length]!,
      ],
    }))
  })
}
