import type { Call } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import type { ListVendorProductsRequest, ListVendorProductsResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { afterToken, cursorOf, type Order, sortOf } from '../db/cursor.ts'
import { cardFields, productStatus, toCard } from '../db/messages.ts'
import { literal, textKey } from '../domain/text.ts'
import { scopeOf } from './scope.ts'

const lastChanged: Order = { field: 'updatedAt', direction: -1, codec: 'date' }

export async function listVendorProducts(
  ctx: CatalogContext,
  request: ListVendorProductsRequest,
  call: Call,
): Promise<ListVendorProductsResponse> {
  const size = pageSize(request.pageSize)
  const vendorId = scopeOf(call, request.vendorId, 'catalog.read', 'catalog.review')
  const query = request.query.trim()
  const found = await ctx.db.products
    .find(
      {
        ...(vendorId ? { vendorId } : {}),
        ...(request.status ? { status: productStatus.toName(request.status) } : {}),
        $and: [
          query
            ? {
                $or: [
                  { titleKey: new RegExp(literal(textKey(query))) },
                  { 'variants.sku': query },
                  { barcodes: query },
                ],
              }
            : {},
          afterToken(request.pageToken, lastChanged),
        ],
      },
      { projection: cardFields },
    )
    .sort(sortOf(lastChanged))
    .limit(size + 1)
    .toArray()
  const page = toPage(found, size, (product) => cursorOf(lastChanged, product))
  return { products: page.items.map((product) => toCard(ctx.media, product, true)), nextPageToken: page.nextPageToken }
}
