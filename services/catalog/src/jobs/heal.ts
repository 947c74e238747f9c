import { withoutPending } from '@haat/kit/events/pending'
import { job } from '@haat/kit/jobs'
import type { CatalogContext } from '../context.ts'
import { rewritePaths } from '../db/categories.ts'
import { project } from '../db/products.ts'
import { syncVendorProducts } from '../db/vendors.ts'

const BATCH = 200
/** Younger ones are still being written by their own request. */
const GRACE_MS = 15_000

/** Finishes what a crash left half done; nothing of it was visible as such. */
export const heal = job<CatalogContext>('heal', {
  everySeconds: 60,
  leader: true,
  async run(ctx) {
    const before = new Date(ctx.now().getTime() - GRACE_MS)
    const behind = await ctx.db.products
      .find({ unprojectedSince: { $lt: before } }, { projection: withoutPending })
      .limit(BATCH)
      .toArray()
    for (const product of behind) await project(ctx, product)

    for (const isActive of [true, false]) {
      const vendors = await ctx.db.vendors.find({ isActive }, { projection: { _id: 1 } }).toArray()
      const wrong = await ctx.db.products
        .find(
          { vendorId: { $in: vendors.map((vendor) => vendor._id) }, vendorActive: !isActive },
          { projection: { vendorId: 1 } },
        )
        .limit(BATCH)
        .toArray()
      for (const vendorId of new Set(wrong.map((product) => product.vendorId))) await syncVendorProducts(ctx, vendorId)
    }
    await rewritePaths(ctx.db, await ctx.categories.current())
  },
})
