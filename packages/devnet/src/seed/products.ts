import { brands, vendors } from './people.ts'
import { createRandom, type Random } from './random.ts'
import { type Leaf, leaves, optionValues, slugOf } from './taxonomy.ts'

export type SeedVariant = {
  sku: string
  taka: number
  wasTaka?: number
  option: string
  onHand: number
  barcode: string
}
export type SeedProduct = {
  key: string
  vendor: number
  leaf: Leaf
  title: string
  description: string
  brand: string
  origin: string
  variants: SeedVariant[]
}

const PER_LEAF = 20
/** Every sixth category has five products that a second vendor offers too. */
const SHARED_EVERY = 6
const SHARED = 5
const kinds = ['Classic', 'Everyday', 'Heritage', 'Premium', 'Village', 'Festival', 'Little']
const origins = ['Sylhet', 'Tangail', 'Rajshahi', 'Bogura', 'Cumilla', 'Jessore', 'Bandarban']
const praise = [
  'Made in small batches by people who have done little else for years.',
  'Checked by hand before it leaves the workshop.',
  'A favourite of our regular customers.',
  'Simple, sturdy and easy to look after.',
]
const uses = ['It keeps well', 'It makes a good present', 'It gets better with use', 'It is ready to use']

/** The vendor whose field a category is: categories that follow each other belong together. */
const vendorOf = (leafIndex: number) => Math.floor((leafIndex * vendors.length) / leaves.length)

/** The thousand products: twenty per category, and forty that a second vendor offers too, under the same barcode. */
export function makeProducts(): SeedProduct[] {
  const own = leaves.flatMap((leaf, leafIndex) =>
    Array.from({ length: PER_LEAF }, (_, index) => makeProduct(leaf, leafIndex, index)),
  )
  const shared = own.filter((_, at) => Math.floor(at / PER_LEAF) % SHARED_EVERY === 0 && at % PER_LEAF < SHARED)
  const offers = shared.map((product) => {
    const random = createRandom('offer', product.key)
    const vendor = (product.vendor + 1) % vendors.length
    return {
      ...product,
      key: `${product.key}-offer`,
      vendor,
      variants: product.variants.map(({ wasTaka: _, ...variant }) => ({
        ...variant,
        sku: `V${vendor + 1}${variant.sku.slice(variant.sku.indexOf('-'))}`,
        taka: Math.max(10, Math.round((variant.taka * random.int(92, 108)) / 100)),
        onHand: random.int(5, 60),
      })),
    }
  })
  return [...own, ...offers]
}

function makeProduct(leaf: Leaf, leafIndex: number, index: number): SeedProduct {
  const random = createRandom('product', leafIndex, index)
  const vendor = vendorOf(leafIndex)
  const title = `${kinds[Math.floor(index / leaf.nouns.length)]} ${leaf.nouns[index % leaf.nouns.length]}`
  const base = roundTaka(random.int(...leaf.taka))
  const all = optionValues[leaf.option]
  const values = all.length ? all.slice(0, random.int(1, 3)) : ['']
  const origin = random.pick(origins)
  return {
    key: `${slugOf(leaf.name)}-${index + 1}`,
    vendor,
    leaf,
    title,
    description: `${title} from ${origin}. ${random.pick(praise)} ${random.pick(uses)}, and we send it within two days.`,
    brand: random.chance(0.7) ? brands[(leafIndex + index) % brands.length]! : '',
    origin,
    variants: values.map((option, at) => makeVariant(random, { leaf, leafIndex, index, vendor, base, option, at })),
  }
}

function makeVariant(
  random: Random,
  of: { leaf: Leaf; leafIndex: number; index: number; vendor: number; base: number; option: string; at: number },
): SeedVariant {
  // Larger packs cost more; sizes and colours do not.
  const taka = of.leaf.option === 'Pack' ? roundTaka(of.base * [1, 2.2, 4][of.at]!) : of.base
  const sale = random.chance(0.12)
  const number = of.leafIndex * 1000 + of.index * 10 + of.at
  return {
    sku: `V${of.vendor + 1}-${String(of.leafIndex + 1).padStart(2, '0')}${String(of.index + 1).padStart(2, '0')}-${of.at + 1}`,
    taka,
    ...(sale ? { wasTaka: roundTaka(taka * 1.25) } : {}),
    option: of.option,
    onHand: random.chance(0.03) ? 0 : random.int(20, 400),
    barcode: ean13(`200${String(number).padStart(9, '0')}`),
  }
}

const roundTaka = (taka: number) => (taka < 100 ? Math.round(taka) : Math.round(taka / 10) * 10)

/** Twelve digits and their GS1 check digit. */
export function ean13(digits: string): string {
  const sum = [...digits].reduce((total, digit, at) => total + Number(digit) * (at % 2 ? 3 : 1), 0)
  return `${digits}${(10 - (sum % 10)) % 10}`
}

export const pictureKey = (product: Pick<SeedProduct, 'vendor' | 'leaf'>): string =>
  `${product.vendor}/${product.leaf.name}`

export const csvHeader = [
  'vendor',
  'product',
  'title',
  'description',
  'categories',
  'brand',
  'sku',
  'price',
  'compare_at_price',
  'currency',
  'tax_class',
  'weight_grams',
  'barcode',
  'image_urls',
  'option:Pack',
  'option:Size',
  'option:Colour',
  'attr:Origin',
]

/** The rows of a product as the catalogue's CSV has them. */
export const csvRows = (product: SeedProduct, vendorSlug: string, imageUrl: string): string[][] =>
  product.variants.map((variant) => [
    vendorSlug,
    product.key,
    product.title,
    product.description,
    slugOf(product.leaf.name),
    product.brand,
    variant.sku,
    `${variant.taka}.00`,
    variant.wasTaka ? `${variant.wasTaka}.00` : '',
    'BDT',
    product.leaf.taxClass,
    String(product.leaf.grams),
    variant.barcode,
    imageUrl,
    ...(['Pack', 'Size', 'Colour'] as const).map((kind) => (product.leaf.option === kind ? variant.option : '')),
    product.origin,
  ])
