import { createHash } from 'node:crypto'
import { AppError } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { isDuplicateKey } from '@haat/kit/mongo'
import type { CatalogContext } from '../context.ts'
import { editMode, missingParts } from '../domain/approval.ts'
import { problemsOf } from '../domain/content.ts'
import { derive } from '../domain/derive.ts'
import { createProduct } from '../domain/edit.ts'
import { type ImportedProduct, importedContent, type Resolved, type RowError } from '../domain/import-file.ts'
import type { Content, Product, ProductImage } from '../domain/product.ts'
import { makeSlug } from '../domain/slug.ts'
import { textKey } from '../domain/text.ts'
import { mediaKey } from '../media/media-store.ts'
import { eachAtOnce } from './batches.ts'
import type { Tree } from './categories.ts'
import type { BrandDocument, MediaDocument, VendorDocument } from './collections.ts'
import { type CheckedContent, toProductImage } from './content.ts'
import { planEdit } from './plan-edit.ts'
import { approved, created, indexRequested, submitted } from './product-events.ts'
import { changeProduct, findProducts, insertProducts, type NewProduct } from './products.ts'
import { followVendor } from './vendors.ts'

const MAX_VARIANTS = 500

/** One import from its first row to its last. */
export type ImportRun = {
  by: string
  /** Staff's edits apply at once, and what it publishes goes live. */
  isStaff: boolean
  dryRun: boolean
  publish: boolean
  vendorOf: (product: ImportedProduct) => Promise<VendorDocument | undefined>
  /** SKUs of earlier rows. */
  seenSkus: Set<string>
}

export type Outcome = { created: number; updated: number; unchanged: number; failed: number; errors: RowError[] }

class Refused extends Error {
  readonly errors: RowError[]
  constructor(errors: RowError[]) {
    super('refused')
    this.errors = errors
  }
}

const refusal = (product: ImportedProduct, code: string, message: string, column = '', sku = ''): Refused => {
  const line = product.variants.find((variant) => variant.sku === sku)?.line ?? product.line
  return new Refused([{ line, column, code, message, sku }])
}

/** Creates and updates the products of some groups of rows, with as few queries as the whole batch needs. */
export async function importBatch(
  ctx: CatalogContext,
  run: ImportRun,
  batch: readonly ImportedProduct[],
): Promise<Outcome> {
  const outcome: Outcome = { created: 0, updated: 0, unchanged: 0, failed: 0, errors: [] }
  const fail = (product: ImportedProduct, error: unknown) => {
    outcome.failed++
    if (error instanceof Refused) outcome.errors.push(...error.errors)
    else if (error instanceof AppError && error.status !== 'INTERNAL' && error.status !== 'UNAVAILABLE') {
      const { errors } = refusal(product, error.code, error.message, '', String(error.details.sku ?? ''))
      outcome.errors.push(...errors)
    } else throw error
  }

  const [standing, brands, owners] = await Promise.all([
    findStanding(ctx, batch),
    findBrands(ctx, batch),
    Promise.all(batch.map(async (product) => [product, await run.vendorOf(product)] as const)),
  ])
  const vendors = new Map<ImportedProduct, VendorDocument>()
  for (const [product, vendor] of owners) {
    if (vendor) vendors.set(product, vendor)
    else fail(product, refusal(product, 'vendor_not_found', `no vendor ${product.vendor}`, 'vendor'))
  }
  // Categories after the products, as every writer of products does.
  const [tree, images] = await Promise.all([ctx.categories.current(), findImages(ctx, vendors, run.dryRun)])

  const fresh: { imported: ImportedProduct; entry: NewProduct; vendor: VendorDocument }[] = []
  const edits: { imported: ImportedProduct; product: Product; resolved: Resolved; brandName: string }[] = []
  for (const [imported, vendor] of vendors) {
    try {
      const product = ownerOf(imported, standing, vendor, run.seenSkus)
      const resolved = resolve(imported, tree, brands, images.get(imported), product)
      const content = importedContent(imported, resolved, product)
      check(ctx, imported, content, product)
      const brandName = brandNameOf(brands, content, product)
      if (product) edits.push({ imported, product, resolved, brandName })
      else
        fresh.push({
          imported,
          vendor,
          entry: newEntry(ctx, run, tree, vendor, { content, brandName }, imported, outcome),
        })
    } catch (error) {
      fail(imported, error)
    }
  }

  const failures = run.dryRun
    ? []
    : await insertProducts(
        ctx,
        fresh.map(({ entry }) => entry),
      )
  for (const { product, error } of failures) fail(fresh.find(({ entry }) => entry.product === product)!.imported, error)
  outcome.created += fresh.length - failures.length
  if (!run.dryRun) for (const vendor of new Set(fresh.map((item) => item.vendor))) await followVendor(ctx, vendor)

  await eachAtOnce(edits, async ({ imported, product, resolved, brandName }) => {
    const plan = async (before: Product) => {
      const mode = editMode(before.status, run.isStaff ? 'staff' : 'vendor')
      const content = importedContent(imported, resolved, before)
      const checked: CheckedContent = { content, brandName }
      const edit = { by: run.by, at: ctx.now(), newId }
      const planned = await planEdit(ctx, before, checked, mode === 'refuse' ? 'apply' : mode, edit)
      if (planned && mode === 'refuse') throw refusal(imported, 'product_archived', 'the product is archived')
      return planned
    }
    try {
      if (!(await plan(product))) outcome.unchanged++
      else {
        if (!run.dryRun) await changeProduct(ctx, product._id, plan)
        outcome.updated++
      }
    } catch (error) {
      fail(imported, error)
    }
  })
  return outcome
}

/** Products that have SKUs of the batch, by SKU. */
async function findStanding(ctx: CatalogContext, batch: readonly ImportedProduct[]): Promise<Map<string, Product>> {
  const skus = batch.flatMap((product) => product.variants.map((variant) => variant.sku))
  const rows = await ctx.db.variants.find({ sku: { $in: skus } }, { projection: { sku: 1, productId: 1 } }).toArray()
  const products = await findProducts(
    ctx,
    rows.map((row) => row.productId),
  )
  const found = new Map<string, Product>()
  for (const row of rows) {
    const product = products.get(row.productId)
    if (product?.variants.some((variant) => variant.id === row._id)) found.set(row.sku, product)
  }
  return found
}

/** The product that rows mean by their SKUs; undefined for a new one. */
function ownerOf(
  imported: ImportedProduct,
  standing: ReadonlyMap<string, Product>,
  vendor: VendorDocument,
  seenSkus: Set<string>,
): Product | undefined {
  const owners = new Set(imported.variants.flatMap(({ sku }) => standing.get(sku) ?? []))
  const [owner] = owners
  const repeated = imported.variants.find(({ sku }) => seenSkus.has(sku))
  for (const { sku } of imported.variants) seenSkus.add(sku)
  if (repeated) throw refusal(imported, 'sku_taken', 'an earlier row has this SKU', 'sku', repeated.sku)
  const foreign = imported.variants.find(({ sku }) => {
    const product = standing.get(sku)
    return product && (product !== owner || product.vendorId !== vendor._id)
  })
  if (foreign) throw refusal(imported, 'sku_taken', 'another product has this SKU', 'sku', foreign.sku)
  return owner
}

async function findBrands(ctx: CatalogContext, batch: readonly ImportedProduct[]): Promise<Map<string, BrandDocument>> {
  const names = [...new Set(batch.flatMap((product) => (product.brand ? [textKey(product.brand)] : [])))]
  const standing = names.length
    ? await ctx.db.brands.find({ $or: [{ nameKey: { $in: names } }, { slug: { $in: names } }] }).toArray()
    : []
  return new Map(
    standing.flatMap(
      (brand) =>
        [
          [brand.slug, brand],
          [brand.nameKey, brand],
        ] as const,
    ),
  )
}

const brandNameOf = (
  brands: ReadonlyMap<string, BrandDocument>,
  content: Content,
  product: Product | undefined,
): string =>
  content.brandId === product?.brandId
    ? (product?.brandName ?? '')
    : ([...brands.values()].find((brand) => brand._id === content.brandId)?.name ?? '')

function resolve(
  imported: ImportedProduct,
  tree: Tree,
  brands: ReadonlyMap<string, BrandDocument>,
  images: ProductImage[] | string | undefined,
  product: Product | undefined,
): Resolved {
  const categoryIds = imported.categories?.map((slug) => {
    const category = tree.findBySlug(slug)
    if (!category) throw refusal(imported, 'category_not_found', `no category ${slug}`, 'categories')
    return category._id
  })
  if (categoryIds && categoryIds.length > 10)
    throw refusal(imported, 'categories_invalid', 'more than 10 categories', 'categories')
  const brand = imported.brand ? brands.get(textKey(imported.brand)) : undefined
  if (imported.brand && !(brand?.isActive || (brand && brand._id === product?.brandId)))
    throw refusal(imported, 'brand_not_found', `no brand ${imported.brand}`, 'brand')
  if (typeof images === 'string') throw refusal(imported, 'media_not_found', images, 'image_urls')
  return { categoryIds, brandId: imported.brand === undefined ? undefined : (brand?._id ?? null), images }
}

function check(ctx: CatalogContext, imported: ImportedProduct, content: Content, product: Product | undefined): void {
  if (!content.title) throw refusal(imported, 'title_missing', 'a new product needs a title', 'title')
  const skus = new Set([...(product?.variants ?? []), ...content.variants].map((variant) => variant.sku))
  if (skus.size > MAX_VARIANTS) throw refusal(imported, 'variant_limit_reached', `at most ${MAX_VARIANTS} variants`)
  const errors = problemsOf(content, ctx).flatMap(
    ({ code, message, sku, field }) => refusal(imported, code, message, field, sku).errors,
  )
  if (errors.length) throw new Refused(errors)
}

/** A product that was in no database yet: a draft, or what `publish` makes of it when it is complete. */
function newEntry(
  ctx: CatalogContext,
  run: ImportRun,
  tree: Tree,
  vendor: VendorDocument,
  { content, brandName }: CheckedContent,
  imported: ImportedProduct,
  outcome: Outcome,
): NewProduct {
  const { by } = run
  const at = ctx.now()
  const slug = makeSlug(content.title, 'product')
  const given = { vendorId: vendor._id, slug, content, brandName, vendorActive: vendor.isActive }
  const draft = createProduct(given, { by, at, newId })
  const asDraft: NewProduct = { product: draft, slugIsFree: true, events: (stored) => [created(stored)] }
  if (!run.publish) return asDraft
  // Staff answers for what it puts in; a feed without pictures or texts is still worth showing.
  const excused = run.isStaff ? ['image', 'description'] : []
  const missing = missingParts(draft).filter((part) => !excused.includes(part))
  if (missing.length) {
    outcome.errors.push({
      line: imported.line,
      column: '',
      code: 'product_incomplete',
      message: `kept as a draft; missing: ${missing.join(', ')}`,
      sku: '',
    })
    return asDraft
  }
  return run.isStaff
    ? {
        product: derive({ ...draft, status: 'active', publishedAt: at }),
        slugIsFree: true,
        events: (stored) => [
          created(stored),
          approved(stored, by, { imported: true }),
          indexRequested(ctx.media, tree, stored),
        ],
      }
    : {
        product: derive({ ...draft, status: 'pending', waitingSince: at }),
        slugIsFree: true,
        events: (stored) => [created(stored), submitted(stored, by)],
      }
}

/**
 * The images that rows name by address: our own by their id, any other as a link that is never fetched. For a product whose
 * addresses are wrong, a sentence that says why.
 */
async function findImages(
  ctx: CatalogContext,
  vendors: ReadonlyMap<ImportedProduct, VendorDocument>,
  dryRun: boolean,
): Promise<Map<ImportedProduct, ProductImage[] | string>> {
  const result = new Map<ImportedProduct, ProductImage[] | string>()
  const wanted = new Map<ImportedProduct, { id: string; url: string | null }[]>()
  for (const [product, vendor] of vendors) {
    if (!product.imageUrls) continue
    const refs = product.imageUrls.map((url) => imageRef(ctx, vendor._id, url))
    const bad = product.imageUrls[refs.indexOf(undefined)]
    if (refs.includes(undefined)) result.set(product, `${bad} is no http(s) address of an image`)
    else
      wanted.set(
        product,
        refs.filter((ref, index) => refs.findIndex((other) => other?.id === ref?.id) === index) as never,
      )
  }
  const ids = [...new Set([...wanted.values()].flatMap((refs) => refs.map((ref) => ref.id)))]
  const found = ids.length ? await ctx.db.media.find({ _id: { $in: ids } }).toArray() : []
  const known = new Map(found.map((media) => [media._id, media]))
  const links = new Map<string, MediaDocument>()
  for (const [product, refs] of wanted) {
    const vendorId = vendors.get(product)!._id
    const images = refs.map(({ id, url }) => {
      const media = known.get(id)
      if (media)
        return media.vendorId === vendorId && media.purpose === 'product' ? toProductImage(media, '') : undefined
      if (url === null) return undefined
      const link: MediaDocument = {
        _id: id,
        purpose: 'product',
        vendorId,
        uploadedBy: '',
        width: 0,
        height: 0,
        url,
        createdAt: ctx.now(),
      }
      links.set(id, link)
      return toProductImage(link, '')
    })
    result.set(product, images.every((image) => image !== undefined) ? images : "an image is not the vendor's")
  }
  if (links.size && !dryRun)
    await ctx.db.media.insertMany([...links.values()], { ordered: false }).catch((error) => {
      if (!isDuplicateKey(error)) throw error
    })
  return result
}

/** A link's id follows from vendor and address, so that the same file names the same image again. */
function imageRef(ctx: CatalogContext, vendorId: string, url: string): { id: string; url: string | null } | undefined {
  const own = new RegExp(`/${mediaKey('([0-9a-f-]{36})', 'full').replace('full', '(?:thumb|card|full)')}$`).exec(url)
  if (own && url.startsWith(`${ctx.media.publicUrl}/`)) return { id: own[1]!, url: null }
  if (url.length > 2048 || !/^https?:\/\/[^\s/?#@]+[^\s]*$/i.test(url) || !URL.canParse(url)) return undefined
  const hash = createHash('sha256').update(`${vendorId}\n${url}`).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x80
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex')
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
  return { id, url }
}
