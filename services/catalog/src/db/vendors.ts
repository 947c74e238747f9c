import { enumNames } from '@haat/kit/enum'
import { AppError, notFound } from '@haat/kit/errors'
import { isDuplicateKey } from '@haat/kit/mongo'
import { type PublicVendor, VendorStatus } from '@haat/proto/vendor/v1/vendor'
import type { CatalogContext } from '../context.ts'
import { derive } from '../domain/derive.ts'
import { eachAtOnce } from './batches.ts'
import type { VendorDocument } from './collections.ts'
import { indexRequested, updated } from './product-events.ts'
import { findProduct, saveProduct } from './products.ts'

export const vendorStatus = enumNames(VendorStatus)

const BATCH = 200

/** A vendor as its events told, or as the vendor service says when no event came yet. NOT_FOUND `vendor_not_found`. */
export async function getVendor(ctx: CatalogContext, vendorId: string): Promise<VendorDocument> {
  const known = await ctx.db.vendors.findOne({ _id: vendorId })
  if (known) return known
  const { vendors } = await ctx.vendor.batchGetVendors({ vendorIds: [vendorId] })
  if (!vendors[0]) throw notFound('vendor_not_found', 'no such vendor')
  return remember(ctx, vendors[0])
}

/** As `getVendor`, by slug; undefined for an unknown one. */
export async function findVendorBySlug(ctx: CatalogContext, slug: string): Promise<VendorDocument | undefined> {
  const known = await ctx.db.vendors.findOne({ slug })
  if (known) return known
  try {
    const { vendor } = await ctx.vendor.getVendorBySlug({ slug })
    return vendor && (await remember(ctx, vendor))
  } catch (error) {
    if (error instanceof AppError && error.status === 'NOT_FOUND') return undefined
    throw error
  }
}

/** An event that came meanwhile knows better. */
async function remember(ctx: CatalogContext, vendor: PublicVendor): Promise<VendorDocument> {
  const { id, name, slug } = vendor
  const isActive = vendor.status === VendorStatus.ACTIVE
  await ctx.db.vendors.updateOne({ _id: id }, { $setOnInsert: { name, slug, isActive, sequence: 0 } }, { upsert: true })
  return (await ctx.db.vendors.findOne({ _id: id }))!
}

/** Takes over what an event says of a vendor, unless a later one was first; then its products follow. */
export async function applyVendorEvent(ctx: CatalogContext, vendor: VendorDocument): Promise<void> {
  const { _id, ...fields } = vendor
  await ctx.db.vendors
    .updateOne({ _id, sequence: { $lt: vendor.sequence } }, { $set: fields }, { upsert: true })
    .catch((error) => {
      if (!isDuplicateKey(error)) throw error
    })
  await syncVendorProducts(ctx, _id)
}

/** Shows or hides a vendor's products as its state says. Stops half-way without harm: what is done is not done again. */
export async function syncVendorProducts(ctx: CatalogContext, vendorId: string): Promise<void> {
  const vendor = await ctx.db.vendors.findOne({ _id: vendorId })
  if (!vendor) return
  const vendorActive = vendor.isActive
  const behind = { vendorId, vendorActive: !vendorActive }
  // Those that are not live say nothing to anybody; the raised revision makes an approval under way look again.
  await ctx.db.products.updateMany(
    { ...behind, status: { $ne: 'active' } },
    { $set: { vendorActive }, $inc: { revision: 1 } },
  )
  for (;;) {
    const found = await ctx.db.products
      .find(behind, { projection: { _id: 1 } })
      .limit(BATCH)
      .toArray()
    if (found.length === 0) return
    await eachAtOnce(found, async ({ _id }) => {
      const before = await findProduct(ctx, _id)
      if (!before || before.vendorActive === vendorActive) return
      const tree = await ctx.categories.current()
      const next = derive({ ...before, vendorActive, revision: before.revision + 1 })
      const changed = next.visible !== before.visible
      await saveProduct(ctx, {
        before,
        next,
        events: changed ? [updated(next, ['visible']), indexRequested(ctx.media, tree, next)] : [],
      })
    })
  }
}

/** After inserting products: they took over the vendor's state as it was read, which may have changed meanwhile. */
export async function followVendor(ctx: CatalogContext, read: VendorDocument): Promise<void> {
  const now = await ctx.db.vendors.findOne({ _id: read._id })
  if (now && now.isActive !== read.isActive) await syncVendorProducts(ctx, read._id)
}
