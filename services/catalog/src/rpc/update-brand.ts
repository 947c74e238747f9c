import { aborted, notFound } from '@haat/kit/errors'
import { pendEvent, withoutPending } from '@haat/kit/events/pending'
import type { UpdateBrandRequest, UpdateBrandResponse } from '@haat/proto/catalog/v1/catalog'
import { BrandUpdated } from '@haat/proto/catalog/v1/events'
import type { CatalogContext } from '../context.ts'
import { toBrand } from '../db/brands.ts'
import type { BrandDocument } from '../db/collections.ts'
import { textKey } from '../domain/text.ts'
import { brandConflict } from './create-brand.ts'

export async function updateBrand(ctx: CatalogContext, request: UpdateBrandRequest): Promise<UpdateBrandResponse> {
  const { brandId } = request
  const before = await ctx.db.brands.findOne({ _id: brandId }, { projection: withoutPending })
  if (!before) throw notFound('brand_not_found', 'no such brand')
  const name = request.name ?? before.name
  const wanted = {
    name,
    nameKey: textKey(name),
    slug: request.slug ?? before.slug,
    logoUrl: request.logoUrl ?? before.logoUrl,
    isActive: request.isActive ?? before.isActive,
  }
  const same = (Object.keys(wanted) as (keyof typeof wanted)[]).every((field) => wanted[field] === before[field])
  if (same) return { brand: toBrand(before) }

  const at = ctx.now()
  const after: BrandDocument = { ...before, ...wanted, version: before.version + 1, updatedAt: at }
  const brand = toBrand(after)
  const written = await ctx.db.brands
    .updateOne(
      { _id: brandId, version: before.version },
      {
        // The mark lets the brand's products follow.
        $set: { ...wanted, version: after.version, updatedAt: at, refreshSince: at },
        $push: { pendingEvents: pendEvent(BrandUpdated, { brandId, brand }, after.version) },
      },
    )
    .catch((error) => {
      throw brandConflict(error)
    })
  if (!written.matchedCount) throw aborted('brand_busy', 'somebody else changed the brand; try again')
  ctx.wakeEvents('brands', [brandId])
  return { brand }
}
