import { parse } from '@haat/money/decimal'
import type { Money } from '@haat/money/money'
import { readCell, splitList } from './csv-cell.ts'
import type { Content, Dimensions, Pair, Product, ProductImage, ProductOption, VariantContent } from './product.ts'

/** The file's columns, besides `option:<name>` and `attr:<name>`. */
export const columns = [
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
  'length_mm',
  'width_mm',
  'height_mm',
  'barcode',
  'image_urls',
  'active',
] as const
type Column = (typeof columns)[number]
const required: Column[] = ['product', 'sku', 'price', 'currency']

export type Header = {
  width: number
  at: Map<Column, number>
  options: { name: string; at: number }[]
  attributes: { name: string; at: number }[]
}

/** The columns of a file, or the names of those that are missing, unknown or there twice. */
export function readHeader(cells: readonly string[], withVendor: boolean): Header | { wrong: string[] } {
  const header: Header = { width: cells.length, at: new Map(), options: [], attributes: [] }
  const seen = new Set<string>()
  const wrong: string[] = []
  cells.forEach((cell, at) => {
    const name = cell.trim()
    const [, kind, own] = /^(option|attr):(.+)$/.exec(name) ?? []
    if (seen.has(name)) wrong.push(name)
    else if (kind === 'option' && own!.length <= 40) header.options.push({ name: own!.trim(), at })
    else if (kind === 'attr' && own!.length <= 60) header.attributes.push({ name: own!.trim(), at })
    else if ((columns as readonly string[]).includes(name)) header.at.set(name as Column, at)
    else wrong.push(name)
    seen.add(name)
  })
  const needed: Column[] = withVendor ? ['vendor', ...required] : required
  wrong.push(...needed.filter((column) => !header.at.has(column)))
  return wrong.length ? { wrong } : header
}

/** One row with its place in the file. */
export type Row = { line: number; cells: readonly string[] }

export type RowError = { line: number; column: string; code: string; message: string; sku: string }

/** A variant as a file has it; what no column speaks of is undefined and stays as it is. */
export type ImportedVariant = {
  line: number
  sku: string
  price: Money
  compareAtPrice: Money | null | undefined
  optionValues: Pair[]
  taxClass: string | undefined
  weightGrams: number | undefined
  dimensions: Dimensions | null | undefined
  barcode: string | undefined
  isActive: boolean | undefined
}

/** A product as a file has it. */
export type ImportedProduct = {
  line: number
  vendor: string
  title: string | undefined
  description: string | undefined
  categories: string[] | undefined
  brand: string | undefined
  imageUrls: string[] | undefined
  /** Names of all attribute columns, and those with a value here. */
  attributeNames: string[]
  attributes: Pair[]
  hasOptionColumns: boolean
  options: ProductOption[]
  variants: ImportedVariant[]
}

/** What a product's rows are told apart by. */
export const groupKey = (header: Header, { cells }: Row): string =>
  ['vendor', 'product'].map((column) => (cells[header.at.get(column as Column) ?? -1] ?? '').trim()).join('\n')

const WHOLE = /^[0-9]{1,9}$/
const SKU = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const TAX_CLASS = /^[a-z][a-z0-9_]{0,31}$/
const BARCODE = /^([0-9]{8}|[0-9]{12,14})?$/

/** Reads the rows of one product; with any error there is no product. */
export function readProduct(header: Header, rows: readonly Row[]): { product: ImportedProduct; errors: RowError[] } {
  const errors: RowError[] = []
  const raw = (row: Row, at: number) => readCell((row.cells[at] ?? '').trim())
  const cell = (row: Row, column: Column): string | undefined => {
    const at = header.at.get(column)
    return at === undefined ? undefined : raw(row, at)
  }
  const isWhole = (row: Row) => row.cells.length === header.width
  // In a row with too many or too few cells every value may be another column's: it is told once, as such.
  const refuse = (row: Row, column: string, code: string, message: string) => {
    if (isWhole(row)) errors.push({ line: row.line, column, code, message, sku: cell(row, 'sku') ?? '' })
  }

  /** A value of the whole product: in its first row, and repeated or left out in the others. */
  const shared = (name: string, at: number | undefined): string | undefined => {
    if (at === undefined) return undefined
    let value = ''
    for (const row of rows) {
      const here = raw(row, at)
      if (here && value && here !== value) refuse(row, name, 'value_differs', `rows of one product differ in ${name}`)
      value ||= here
    }
    return value
  }
  const ofProduct = (column: Column) => shared(column, header.at.get(column))
  const first = rows[0]!
  const limited = (value: string | undefined, column: string, max: number) => {
    if (value !== undefined && value.length > max) refuse(first, column, `${column}_invalid`, `longer than ${max}`)
    if (value?.includes('\uFFFD')) refuse(first, column, 'text_not_utf8', 'the file is not UTF-8')
    return value
  }

  if (!ofProduct('product')) refuse(first, 'product', 'product_missing', 'names what rows belong together')
  const title = limited(ofProduct('title'), 'title', 200)
  const description = limited(ofProduct('description'), 'description', 20_000)
  const categories = ofProduct('categories')
  const imageUrls = ofProduct('image_urls')
  const attributes = header.attributes.flatMap(({ name, at }) => {
    const value = limited(shared(`attr:${name}`, at), `attr:${name}`, 500)
    return value ? [{ name, value }] : []
  })
  if (attributes.length > 100) refuse(first, '', 'attributes_invalid', 'more than 100 attributes')

  const used = header.options.filter(({ at }) => rows.some((row) => raw(row, at)))
  if (used.length > 5) refuse(first, '', 'variant_options_invalid', 'more than 5 options')
  const options = used.map(({ name, at }) => ({
    name,
    values: [...new Set(rows.map((row) => raw(row, at)).filter(Boolean))],
  }))
  if (rows.length > 250) refuse(first, '', 'variants_invalid', 'more than 250 variants')

  const variants = rows.map((row): ImportedVariant => {
    const sku = cell(row, 'sku') ?? ''
    if (!SKU.test(sku)) refuse(row, 'sku', 'sku_invalid', 'letters, digits, dot, dash and underscore, at most 64')
    const currency = cell(row, 'currency') ?? ''
    const amount = (column: Column, text: string): Money => {
      try {
        return parse(text, currency)
      } catch {
        refuse(row, column, 'price_invalid', `not an amount in ${currency || 'a currency'}`)
        return { currency, minor: 0n }
      }
    }
    const whole = (column: Column, max: number): number | undefined => {
      const text = cell(row, column)
      if (text === undefined) return undefined
      if (text && !(WHOLE.test(text) && Number(text) <= max))
        refuse(row, column, `${column}_invalid`, `not a whole number up to ${max}`)
      return Number(text) || 0
    }
    const matching = (column: Column, pattern: RegExp): string | undefined => {
      const text = cell(row, column)
      if (text && !pattern.test(text)) refuse(row, column, `${column}_invalid`, `not a ${column}`)
      return text
    }
    const active = cell(row, 'active')?.toLowerCase()
    if (active && !['true', 'false', '1', '0', 'yes', 'no'].includes(active))
      refuse(row, 'active', 'active_invalid', 'true or false')
    const compareAt = cell(row, 'compare_at_price')
    const size = {
      lengthMm: whole('length_mm', 10_000),
      widthMm: whole('width_mm', 10_000),
      heightMm: whole('height_mm', 10_000),
    }
    const sizes = Object.values(size)
    for (const { name, at } of used)
      if (raw(row, at).length > 60) refuse(row, `option:${name}`, 'variant_options_invalid', 'longer than 60')
    return {
      line: row.line,
      sku,
      price: amount('price', cell(row, 'price') ?? ''),
      compareAtPrice: compareAt === undefined ? undefined : compareAt ? amount('compare_at_price', compareAt) : null,
      optionValues: used.flatMap(({ name, at }) => (raw(row, at) ? [{ name, value: raw(row, at) }] : [])),
      taxClass: matching('tax_class', TAX_CLASS),
      weightGrams: whole('weight_grams', 1_000_000),
      dimensions: sizes.every((value) => value === undefined)
        ? undefined
        : sizes.some((value) => value)
          ? { lengthMm: size.lengthMm ?? 0, widthMm: size.widthMm ?? 0, heightMm: size.heightMm ?? 0 }
          : null,
      barcode: matching('barcode', BARCODE),
      isActive: active === undefined ? undefined : !['false', '0', 'no'].includes(active),
    }
  })
  for (const row of rows)
    if (!isWhole(row)) {
      const message = `${row.cells.length} cells instead of ${header.width}`
      errors.push({ line: row.line, column: '', code: 'row_malformed', message, sku: '' })
    }
  return {
    errors,
    product: {
      line: first.line,
      vendor: ofProduct('vendor') ?? '',
      title,
      description,
      categories: categories === undefined ? undefined : splitList(categories),
      brand: ofProduct('brand'),
      imageUrls: imageUrls === undefined ? undefined : splitList(imageUrls),
      attributeNames: header.attributes.map(({ name }) => name),
      attributes,
      hasOptionColumns: header.options.length > 0,
      options,
      variants,
    },
  }
}

/** What an import found for the names in a product's rows; undefined where there is no column. */
export type Resolved = {
  categoryIds: string[] | undefined
  brandId: string | null | undefined
  images: ProductImage[] | undefined
}

/** The content a file gives a product; what it does not speak of stays as it stands, or is empty on a new one. */
export function importedContent(imported: ImportedProduct, resolved: Resolved, standing?: Product): Content {
  const byName = (a: Pair, b: Pair) => (a.name < b.name ? -1 : 1)
  const kept = (standing?.attributes ?? []).filter(({ name }) => !imported.attributeNames.includes(name))
  const altOf = (id: string) => standing?.images.find((image) => image.id === id)?.alt ?? ''
  const images = resolved.images?.map((image) => ({ ...image, alt: altOf(image.id) })) ?? standing?.images ?? []
  return {
    title: imported.title || (standing?.title ?? ''),
    description: imported.description ?? standing?.description ?? '',
    categoryIds: resolved.categoryIds ?? standing?.categoryIds ?? [],
    brandId: resolved.brandId === undefined ? (standing?.brandId ?? null) : resolved.brandId,
    images,
    attributes: [...kept, ...imported.attributes].sort(byName),
    options: imported.hasOptionColumns
      ? mergeOptions(standing?.options ?? [], imported.options)
      : (standing?.options ?? []),
    seo: standing?.seo ?? { title: '', description: '', keywords: [] },
    variants: imported.variants.map((variant): VariantContent => {
      const before = standing?.variants.find(({ sku }) => sku === variant.sku)
      return {
        sku: variant.sku,
        optionValues: imported.hasOptionColumns ? [...variant.optionValues].sort(byName) : (before?.optionValues ?? []),
        price: variant.price,
        compareAtPrice:
          variant.compareAtPrice === undefined ? (before?.compareAtPrice ?? null) : variant.compareAtPrice,
        taxClass: (variant.taxClass ?? before?.taxClass) || 'standard',
        weightGrams: variant.weightGrams ?? before?.weightGrams ?? 0,
        dimensions: variant.dimensions === undefined ? (before?.dimensions ?? null) : variant.dimensions,
        barcode: variant.barcode ?? before?.barcode ?? '',
        imageId: before?.imageId && images.some(({ id }) => id === before.imageId) ? before.imageId : null,
        isActive: variant.isActive ?? true,
      }
    }),
  }
}

/** The file's options in the order a product has them; values it has already keep their order, and none is removed. */
function mergeOptions(standing: readonly ProductOption[], imported: readonly ProductOption[]): ProductOption[] {
  const known = standing.filter(({ name }) => imported.some((option) => option.name === name))
  const merged = known.map(({ name, values }) => {
    const more = imported.find((option) => option.name === name)!.values
    return { name, values: [...values, ...more.filter((value) => !values.includes(value))] }
  })
  return [...merged, ...imported.filter(({ name }) => !known.some((option) => option.name === name))]
}
