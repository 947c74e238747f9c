import { createHash } from 'node:crypto'
import { type AdminClient, ok } from '@haat/client'
import type { Seller } from '../actors.ts'
import { type CatalogRow, type Imported, importCatalog, type RowError } from '../csv.ts'
import { each } from '../each.ts'
import {
  countOnce,
  ensureCategories,
  ensureCommission,
  ensureVendor,
  listProducts,
  type Place,
  unless,
} from '../market.ts'
import { DEMO_PASSWORD } from '../seed/people.ts'
import type { Article, Retail } from './read-retail.ts'
import { median } from './read-retail.ts'

/** The file's prices are in sterling; a vendor's products have one currency and a cart holds one, so they stay in it. */
export const CURRENCY = 'GBP'
const COUNTRY = 'GB'

const header = [
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
]

/** What a title says an article is, first match first. */
const shelves: [name: string, slug: string, words: RegExp][] = [
  ['Bags', 'gifts-bags', /\b(BAG|BAGS|SHOPPER|PURSE)\b/],
  ['Lighting & Candles', 'gifts-lighting', /\b(CANDLES?|LIGHTS?|LANTERN|T-?LIGHTS?|LAMP|HOLDER)\b/],
  [
    'Kitchen & Dining',
    'gifts-kitchen',
    /\b(MUGS?|CUPS?|PLATES?|BOWLS?|CAKE|CAKESTAND|TEA|COFFEE|SPOONS?|JARS?|TINS?|BAKING|LUNCH|BOTTLE)\b/,
  ],
  ['Christmas', 'gifts-christmas', /\b(CHRISTMAS|XMAS|SANTA|ADVENT|REINDEER)\b/],
  ['Jewellery', 'gifts-jewellery', /\b(NECKLACE|BRACELET|EARRINGS?|RING|BROOCH|BANGLE)\b/],
  [
    'Stationery & Craft',
    'gifts-stationery',
    /\b(CARDS?|WRAP|NOTEBOOK|PENCILS?|PENS?|STICKERS?|CRAFT|PAPER|RIBBONS?)\b/,
  ],
  ['Toys & Party', 'gifts-toys', /\b(TOYS?|GAME|DOLL|PARTY|BALLOONS?|BUNTING|CHILDRENS?|JIGSAW|PUZZLES?)\b/],
  [
    'Home & Garden',
    'gifts-home',
    /\b(HEARTS?|CLOCK|FRAME|SIGN|CUSHION|HANGER|GARDEN|DOORMAT|CABINET|DRAWER|BOX|BASKET|MIRROR)\b/,
  ],
]
const OTHER = 'gifts-other'

export type RetailImport = Imported & { vendors: number; counted: number; seconds: number }

export const skuOf = (code: string): string => `OR-${code}`

/** The vendor of an article: the same for the same code and number of vendors. */
export const vendorOf = (code: string, vendors: number): number =>
  createHash('sha256').update(code).digest().readUInt32BE(0) % vendors

/** Makes an online-retail file's articles live products of `vendors` vendors, with as much stock as the file sold. */
export async function importRetail(
  place: Place,
  admin: AdminClient,
  retail: Retail,
  options: { vendors: number; dryRun?: boolean; onProgress?: (what: string, done: number, all: number) => void },
): Promise<RetailImport> {
  const began = performance.now()
  const progress = options.onProgress ?? (() => undefined)
  await ensureCommission(admin)
  await ensureRates(admin)
  await ensureCategories(admin, [
    { name: 'Gifts', slug: 'gifts' },
    ...[...shelves, ['Other Gifts', OTHER] as const].map(([name, slug]) => ({ name, slug, parent: 'gifts' })),
  ])
  const sellers: (Seller & { slug: string })[] = []
  await each(Array.from({ length: options.vendors }), 4, async (_, index) => {
    const person = { name: `Retailer ${index + 1}`, email: `retail${index + 1}@haat.example`, password: DEMO_PASSWORD }
    const business = { name: `Retail House ${index + 1}`, currency: CURRENCY, country: COUNTRY }
    sellers[index] = await ensureVendor(place, admin, person, business)
  })

  const refused: RowError[] = []
  const groups: CatalogRow[][] = []
  for (const article of retail.articles) {
    const row = rowOf(article, sellers[vendorOf(article.code, options.vendors)]!.slug)
    if ('refused' in row) refused.push(row.refused)
    else groups.push([row])
  }
  const imported = await importCatalog(admin, header, groups, {
    ...(options.dryRun ? { dryRun: true } : {}),
    onProgress: (done) => progress('products', done, groups.length),
  })
  const counted = options.dryRun
    ? 0
    : await countStock(sellers, retail.articles, (done) => progress('stock', done, groups.length))
  return {
    ...imported,
    failed: imported.failed + refused.length,
    errors: [...refused, ...imported.errors],
    vendors: sellers.length,
    counted,
    seconds: (performance.now() - began) / 1000,
  }
}

/** An article as a row of the catalogue's CSV. */
function rowOf(article: Article, vendor: string): CatalogRow | { refused: RowError } {
  const refuse = (column: string, code: string, message: string) => ({
    refused: { line: article.line, sku: skuOf(article.code), column, code, message },
  })
  const [title] = [...article.descriptions].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0] ?? []
  if (!title) return refuse('title', 'title_missing', 'no row of this article has a description')
  const pence = Math.round(median(article.prices) * 100)
  if (pence === 0) return refuse('price', 'price_invalid', 'the median price is below a penny')
  const shelf = shelves.find(([, , words]) => words.test(title.toUpperCase()))
  const sku = skuOf(article.code)
  const price = `${Math.trunc(pence / 100)}.${String(pence % 100).padStart(2, '0')}`
  const description = `${title}. Article ${article.code}.`
  const cells = [vendor, sku, title, description, shelf?.[1] ?? OTHER, sku, price, CURRENCY, 'standard', '250']
  return { line: article.line, cells }
}

/** Puts on the shelf what the file sold, so that its invoices can be ordered; what is counted already stays. */
async function countStock(sellers: Seller[], articles: Article[], onProgress: (done: number) => void): Promise<number> {
  const units = new Map(articles.map(({ code, unitsSold }) => [skuOf(code), unitsSold]))
  let counted = 0
  await each(sellers, 2, async (own) => {
    const skus = (await listProducts(own)).flatMap(({ id, skus }) => skus.map((sku) => ({ productId: id, sku })))
    await each(skus, 4, async (of) => {
      const onHand = units.get(of.sku)
      if (onHand === undefined) return
      await countOnce(own, { ...of, onHand, reorderPoint: Math.min(100, Math.ceil(onHand / 10)) })
      if (++counted % 50 === 0) onProgress(counted)
    })
  })
  onProgress(counted)
  return counted
}

/** The platform delivers in sterling, at home and abroad. */
async function ensureRates(admin: AdminClient): Promise<void> {
  const tables = [
    { code: 'standard-gbp', label: 'Standard delivery', serviceLevel: 'standard', countries: [COUNTRY], amount: 395 },
    {
      code: 'abroad-gbp',
      label: 'International delivery',
      serviceLevel: 'international',
      countries: ['*'],
      amount: 1295,
    },
  ]
  for (const { amount, ...table } of tables)
    await unless(
      'rate_table_code_taken',
      ok(
        admin.PUT('/v1/admin/rate-tables', {
          body: {
            ...table,
            basis: 'flat',
            currency: CURRENCY,
            brackets: [{ upTo: 0, amount: { currency: CURRENCY, minor: amount } }],
            minDays: 2,
            maxDays: 10,
            isActive: true,
          },
        }),
      ),
    )
}
