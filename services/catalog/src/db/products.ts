import { type AppError, aborted, conflict, failedPrecondition, notFound } from '@haat/kit/errors'
import type { Envelope } from '@haat/kit/events/envelope'
import { withoutPending } from '@haat/kit/events/pending'
import { newId } from '@haat/kit/id'
import { isDuplicateKey } from '@haat/kit/mongo'
import { MongoBulkWriteError } from 'mongodb'
import type { CatalogContext } from '../context.ts'
import type { Product, Variant } from '../domain/product.ts'
import { makeSlug } from '../domain/slug.ts'
import type { ProductDocument, VariantDocument } from './collections.ts'

const ATTEMPTS = 8
/** A claim on a SKU counts this long without a product that has it. */
const CLAIM_LEASE_MS = 60_000
/** A claimant that needed longer than this gives up before it writes the product. */
const CLAIM_USE_MS = 15_000

export const findProduct = (ctx: CatalogContext, id: string): Promise<Product | null> =>
  ctx.db.products.findOne({ _id: id }, { projection: withoutPending })

export async function findProducts(ctx: CatalogContext, ids: readonly string[]): Promise<Map<string, Product>> {
  if (ids.length === 0) return new Map()
  const found = await ctx.db.products
    .find({ _id: { $in: [...new Set(ids)] } }, { projection: withoutPending })
    .toArray()
  return new Map(found.map((product) => [product._id, product]))
}

export const productNotFound = () => notFound('product_not_found', 'no such product')
export const skuTaken = (sku: string) => conflict('sku_taken', `the SKU ${sku} is taken`, { sku })

const rowOf = (product: Product, variant: Variant): VariantDocument => {
  const { id, ...content } = variant
  return { _id: id, productId: product._id, vendorId: product.vendorId, ...content, revision: product.revision }
}

/**
 * Claims SKUs for products by inserting their variants' rows; answers the SKUs that others have. A row whose product never
 * came to be, or never got the variant, is taken over when its lease is over.
 */
export async function claimSkus(
  ctx: CatalogContext,
  claims: { product: Product; variant: Variant }[],
): Promise<string[]> {
  if (claims.length === 0) return []
  const rows = claims.map(({ product, variant }) => rowOf(product, variant))
  const refused = await insertIgnoringTaken(ctx, rows)
  if (refused.length === 0) return []
  const freed = await removeStaleClaims(
    ctx,
    refused.map((row) => row.sku),
  )
  const again = refused.filter((row) => freed.has(row.sku))
  const stillRefused = again.length ? await insertIgnoringTaken(ctx, again) : []
  return [...refused.filter((row) => !freed.has(row.sku)), ...stillRefused].map((row) => row.sku)
}

async function insertIgnoringTaken(ctx: CatalogContext, rows: VariantDocument[]): Promise<VariantDocument[]> {
  try {
    await ctx.db.variants.insertMany(rows, { ordered: false })
    return []
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || !isDuplicateKey(error)) throw error
    const failures = [error.writeErrors].flat()
    if (failures.some((failure) => failure.code !== 11000)) throw error
    return failures.map((failure) => rows[failure.index]!)
  }
}

async function removeStaleClaims(ctx: CatalogContext, skus: string[]): Promise<Set<string>> {
  const standing = await ctx.db.variants
    .find({ sku: { $in: skus } }, { projection: { sku: 1, productId: 1 } })
    .toArray()
  const old = standing.filter((row) => claimedAt(row._id) < ctx.now().getTime() - CLAIM_LEASE_MS)
  const owners = await findProducts(
    ctx,
    old.map((row) => row.productId),
  )
  const stale = old.filter((row) => !owners.get(row.productId)?.variants.some((variant) => variant.id === row._id))
  if (stale.length) await ctx.db.variants.deleteMany({ _id: { $in: stale.map((row) => row._id) } })
  const gone = new Set(skus.filter((sku) => !standing.some((row) => row.sku === sku)))
  for (const row of stale) gone.add(row.sku)
  return gone
}

/** The time in a UUIDv7. */
const claimedAt = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)

/** Gives claims back that no product will use. */
export const releaseClaims = (ctx: CatalogContext, variants: readonly Variant[]) =>
  ctx.db.variants.deleteMany({ _id: { $in: variants.map((variant) => variant.id) } })

/** A new product on its way into the database. */
export type NewProduct = {
  product: Product
  /** The slug was made up here, so another one will do. */
  slugIsFree: boolean
  /** Made when the slug is certain. */
  events: (product: Product) => Envelope[]
}

export type InsertFailure = { product: Product; error: AppError }

/**
 * Inserts products in this order: variants' rows (the claims on their SKUs) → first prices → products with their events. A crash
 * in between leaves rows that nobody sees, since every read goes through a product; the SKUs are free again a minute later.
 */
export async function insertProducts(ctx: CatalogContext, entries: readonly NewProduct[]): Promise<InsertFailure[]> {
  const failures: InsertFailure[] = []
  const started = performance.now()
  const claims = entries.flatMap(({ product }) => product.variants.map((variant) => ({ product, variant })))
  const [refusedSkus, slugsBefore] = await Promise.all([claimSkus(ctx, claims), takenSlugs(ctx, entries)])
  const taken = new Set(refusedSkus)
  let ready = entries.filter(({ product }) => {
    const lost = product.variants.filter((variant) => taken.has(variant.sku))
    if (lost[0]) failures.push({ product, error: skuTaken(lost[0].sku) })
    return lost.length === 0
  })
  for (const { product } of failures)
    await releaseClaims(
      ctx,
      product.variants.filter((variant) => !taken.has(variant.sku)),
    )

  const prices = ready.flatMap(({ product }) => product.unsaved.prices)
  if (prices.length) await ctx.db.priceHistory.insertMany(prices, { ordered: false })
  for (let attempt = 0; ready.length; attempt++) {
    if (performance.now() - started > CLAIM_USE_MS) {
      for (const { product } of ready) await releaseClaims(ctx, product.variants)
      throw aborted('product_write_slow', 'the database is too slow at the moment; try again')
    }
    // Somebody took it since we looked: the plain slug is not tried again.
    const slugs = attempt === 0 ? slugsBefore : new Set(ready.map((entry) => entry.product.slug))
    const documents = ready.map((entry): ProductDocument => {
      const slug = entry.slugIsFree ? freeSlug(entry.product, slugs) : entry.product.slug
      slugs.add(slug)
      const product: Product = { ...entry.product, slug, unsaved: { prices: [], changeRequests: [] } }
      return { ...product, pendingEvents: entry.events(product) }
    })
    const refused = await insertNew(ctx, documents)
    const retry = new Set<string>()
    for (const { index, error } of refused) {
      const entry = ready[index]!
      if (isDuplicateKey(error, 'slug') && entry.slugIsFree && attempt < ATTEMPTS) retry.add(entry.product._id)
      else {
        failures.push({
          product: entry.product,
          error: conflict('slug_taken', `the slug ${entry.product.slug} is taken`),
        })
        await releaseClaims(ctx, entry.product.variants)
      }
    }
    ready = ready.filter((entry) => retry.has(entry.product._id))
  }
  ctx.wakeEvents(
    'products',
    entries.map(({ product }) => product._id),
  )
  return failures
}

async function insertNew(
  ctx: CatalogContext,
  documents: ProductDocument[],
): Promise<{ index: number; error: unknown }[]> {
  try {
    await ctx.db.products.insertMany(documents, { ordered: false })
    return []
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    const failures = [error.writeErrors].flat()
    if (failures.length === 0 || failures.some((failure) => failure.code !== 11000)) throw error
    return failures.map((failure) => ({
      index: failure.index,
      error: { code: failure.code, message: failure.errmsg ?? '' },
    }))
  }
}

async function takenSlugs(ctx: CatalogContext, entries: readonly NewProduct[]): Promise<Set<string>> {
  const wanted = entries.filter((entry) => entry.slugIsFree).map((entry) => entry.product.slug)
  if (wanted.length === 0) return new Set()
  const found = await ctx.db.products.find({ slug: { $in: wanted } }, { projection: { slug: 1 } }).toArray()
  return new Set(found.map((product) => product.slug))
}

const freeSlug = (product: Product, taken: ReadonlySet<string>): string =>
  taken.has(product.slug) ? makeSlug(product.slug, 'product', newId().slice(-6)) : product.slug

/** A product as it was read, as it shall be, and what tells the others. */
export type ProductWrite = { before: Product; next: Product; events: Envelope[] }

/**
 * Writes a product, its variants, its change request and its events as one atomic update, if nobody wrote it since it was read;
 * then lets the other collections follow. False when somebody did.
 */
export async function saveProduct(ctx: CatalogContext, { before, next, events }: ProductWrite): Promise<boolean> {
  const added = next.variants.filter((variant) => !before.variants.some(({ id }) => id === variant.id))
  const started = performance.now()
  const taken = await claimSkus(
    ctx,
    added.map((variant) => ({ product: next, variant })),
  )
  if (taken[0]) {
    await releaseClaims(
      ctx,
      added.filter((variant) => !taken.includes(variant.sku)),
    )
    throw skuTaken(taken[0])
  }
  const slow = performance.now() - started > CLAIM_USE_MS
  // What an earlier write could not bring to the other collections goes with this one.
  const changed = before.unprojectedSince ? next.variants : changedVariants(before, next)
  const behind = changed.length + next.unsaved.prices.length + next.unsaved.changeRequests.length > 0
  const { _id, unprojectedSince, ...fields } = next
  const written = slow
    ? undefined
    : await ctx.db.products.updateOne(
        { _id, revision: before.revision },
        {
          $set: { ...fields, ...(behind ? { unprojectedSince: unprojectedSince ?? ctx.now() } : {}) },
          ...(events.length ? { $push: { pendingEvents: { $each: events } } } : {}),
        },
      )
  if (!written?.matchedCount) {
    if (added.length) await releaseClaims(ctx, added)
    return false
  }
  if (events.length) ctx.wakeEvents('products', [_id])
  // From here on the change stands; what fails to follow now is repeated by the job `heal`.
  if (behind)
    await project(ctx, next, changed).catch((err) =>
      ctx.log.warn({ err, productId: _id }, "a product's rows are behind"),
    )
  return true
}

const changedVariants = (before: Product, next: Product): Variant[] =>
  next.variants.filter((variant) => !before.variants.includes(variant))

/** Brings the collections that follow a product up to date; repeats and late runs change nothing. */
export async function project(ctx: CatalogContext, product: Product, variants = product.variants): Promise<void> {
  const { prices, changeRequests } = product.unsaved
  if (variants.length)
    await ctx.db.variants.bulkWrite(
      variants.map((variant) => {
        const { _id, ...row } = rowOf(product, variant)
        return { updateOne: { filter: { _id, revision: { $lt: product.revision } }, update: { $set: row } } }
      }),
      { ordered: false },
    )
  if (prices.length)
    await ctx.db.priceHistory.insertMany(prices, { ordered: false }).catch((error) => {
      if (!isDuplicateKey(error)) throw error
    })
  for (const request of changeRequests)
    await ctx.db.changeRequests
      // A decided request never waits again, however late its earlier row arrives.
      .replaceOne({ _id: request._id, status: 'pending' }, request, { upsert: true })
      .catch((error) => {
        if (!isDuplicateKey(error)) throw error
      })
  await ctx.db.products.updateOne(
    { _id: product._id, revision: product.revision },
    { $set: { unsaved: { prices: [], changeRequests: [] } }, $unset: { unprojectedSince: '' } },
  )
}

/**
 * Reads a product, plans a write from what it says and saves it; reads again when somebody was quicker. `plan` answers
 * undefined when nothing has to change, and throws what the caller shall hear.
 */
export async function changeProduct(
  ctx: CatalogContext,
  id: string,
  plan: (product: Product) => Promise<Pick<ProductWrite, 'next' | 'events'> | undefined>,
  missing = productNotFound,
): Promise<Product> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await findProduct(ctx, id)
    if (!before) throw missing()
    const planned = await plan(before)
    if (!planned) return before
    if (await saveProduct(ctx, { before, ...planned })) return planned.next
  }
  throw aborted('product_busy', 'others keep changing this product; try again')
}

export const archivedError = () => failedPrecondition('product_archived', 'the product is archived')
export const versionConflict = (product: Product) =>
  aborted('product_version_conflict', 'the product changed meanwhile', { version: product.version })
