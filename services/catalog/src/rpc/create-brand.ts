import { conflict } from '@haat/kit/errors'
import { pendEvent } from '@haat/kit/events/pending'
import { newId } from '@haat/kit/id'
import { isDuplicateKey } from '@haat/kit/mongo'
import type { CreateBrandRequest, CreateBrandResponse } from '@haat/proto/catalog/v1/catalog'
import { BrandCreated } from '@haat/proto/catalog/v1/events'
import type { CatalogContext } from '../context.ts'
import { toBrand } from '../db/brands.ts'
import type { BrandDocument } from '../db/collections.ts'
import { makeSlug } from '../domain/slug.ts'
import { textKey } from '../domain/text.ts'

export async function createBrand(ctx: CatalogContext, request: CreateBrandRequest): Promise<CreateBrandResponse> {
  const id = newId()
  const at = ctx.now()
  const document: BrandDocument = {
    _id: id,
    name: request.name,
    nameKey: textKey(request.name),
    slug: request.slug ?? makeSlug(request.name, 'brand', /[a-z0-9]/i.test(request.name) ? '' : id.slice(-6)),
    logoUrl: request.logoUrl ?? '',
    isActive: true,
    version: 1,
    createdAt: at,
    updatedAt: at,
  }
  const brand = toBrand(document)
  await ctx.db.brands
    .insertOne({ ...document, pendingEvents: [pendEvent(BrandCreated, { brandId: id, brand }, 1)] })
    .catch((error) => {
      throw brandConflict(error)
    })
  ctx.wakeEvents('brands', [id])
  return { brand }
}

/** What a refused write of a brand means. */
export function brandConflict(error: unknown): unknown {
  if (isDuplicateKey(error, 'nameKey')) return conflict('brand_exists', 'there is a brand of that name')
  if (isDuplicateKey(error, 'slug')) return conflict('slug_taken', 'the slug is taken')
  return error
}
