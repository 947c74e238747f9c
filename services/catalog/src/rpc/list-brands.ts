import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import type { ListBrandsRequest, ListBrandsResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toBrand } from '../db/brands.ts'
import { afterToken, cursorOf, type Order, sortOf } from '../db/cursor.ts'
import { literal, textKey } from '../domain/text.ts'

const byName: Order = { field: 'nameKey', direction: 1, codec: 'text' }

export async function listBrands(
  ctx: CatalogContext,
  request: ListBrandsRequest,
  call: Call,
): Promise<ListBrandsResponse> {
  const size = pageSize(request.pageSize)
  const all = request.includeInactive && isStaff(call, 'catalog.read')
  const query = textKey(request.query)
  const found = await ctx.db.brands
    .find({
      ...(all ? {} : { isActive: true }),
      $and: [query ? { nameKey: new RegExp(literal(query)) } : {}, afterToken(request.pageToken, byName)],
    })
    .sort(sortOf(byName))
    .limit(size + 1)
    .toArray()
  const page = toPage(found, size, (brand) => cursorOf(byName, brand))
  return { brands: page.items.map(toBrand), nextPageToken: page.nextPageToken }
}
