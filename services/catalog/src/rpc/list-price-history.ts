import type { Call } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import type { ListPriceHistoryRequest, ListPriceHistoryResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { afterToken, cursorOf, type Order, sortOf } from '../db/cursor.ts'
import { toPriceChange } from '../db/messages.ts'
import { findVariants } from '../db/variants.ts'
import { isInsider } from './scope.ts'
import { variantNotFound } from './set-price.ts'

const newest: Order = { field: 'changedAt', direction: -1, codec: 'date' }

export async function listPriceHistory(
  ctx: CatalogContext,
  request: ListPriceHistoryRequest,
  call: Call,
): Promise<ListPriceHistoryResponse> {
  const size = pageSize(request.pageSize)
  const [found] = await findVariants(ctx, { sku: request.sku }, 1)
  if (!found || !isInsider(call, found.product.vendorId)) throw variantNotFound()
  const rows = await ctx.db.priceHistory
    .find({ variantId: found.variant.id, ...afterToken(request.pageToken, newest) })
    .sort(sortOf(newest))
    .limit(size + 1)
    .toArray()
  const page = toPage(rows, size, (row) => cursorOf(newest, row))
  return { prices: page.items.map(toPriceChange), nextPageToken: page.nextPageToken }
}
