import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { invalid, notFound } from '@haat/kit/errors'
import { pageSize, toPage } from '@haat/kit/page'
import { type ListProductsRequest, type ListProductsResponse, ProductSort } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { afterToken, cursorOf, type Order, sortOf } from '../db/cursor.ts'
import { cardFields, toCard } from '../db/messages.ts'
import { tokensOf } from '../domain/text.ts'

const newest: Order = { field: 'publishedAt', direction: -1, codec: 'date' }
const orders: Record<ProductSort, Order> = {
  [ProductSort.UNSPECIFIED]: newest,
  [ProductSort.NEWEST]: newest,
  [ProductSort.PRICE_ASC]: { field: 'cheapFirst', direction: 1, codec: 'bigint' },
  [ProductSort.PRICE_DESC]: { field: 'dearFirst', direction: -1, codec: 'bigint' },
  [ProductSort.RATING]: { field: 'ratingRank', direction: -1, codec: 'number' },
}

export async function listProducts(
  ctx: CatalogContext,
  request: ListProductsRequest,
  call: Call,
): Promise<ListProductsResponse> {
  const size = pageSize(request.pageSize)
  const order = orders[request.sort]
  const found = await ctx.db.products
    .find(
      {
        visible: true,
        ...(await categoryFilter(ctx, request, call)),
        ...(request.brandId ? { brandId: request.brandId } : {}),
        ...(request.vendorId ? { vendorId: request.vendorId } : {}),
        ...priceFilter(request),
        $and: [
          ...tokensOf(request.query).map((word) => ({ tokens: new RegExp(`^${word}`) })),
          afterToken(request.pageToken, order),
        ],
      },
      { projection: { ...cardFields, [order.field]: 1 } },
    )
    .sort(sortOf(order))
    .limit(size + 1)
    .toArray()
  const page = toPage(found, size, (product) => cursorOf(order, product))
  return { products: page.items.map((product) => toCard(ctx.media, product, false)), nextPageToken: page.nextPageToken }
}

async function categoryFilter(ctx: CatalogContext, request: ListProductsRequest, call: Call): Promise<object> {
  const { categoryId, categorySlug } = request
  if (categoryId === undefined && categorySlug === undefined) return {}
  if (categoryId !== undefined && categorySlug !== undefined)
    throw invalid('category_ambiguous', 'name the category by id or by slug, not both')
  const tree = await ctx.categories.recent()
  const category = categoryId === undefined ? tree.findBySlug(categorySlug!) : tree.find(categoryId)
  if (!category || !(tree.isShown(category._id) || isStaff(call, 'catalog.read')))
    throw notFound('category_not_found', 'no such category')
  return { categoryIds: { $in: tree.subtree(category._id) } }
}

function priceFilter({ minPrice, maxPrice }: ListProductsRequest): object {
  const currency = minPrice?.currency ?? maxPrice?.currency
  if (!currency) return {}
  if (maxPrice && maxPrice.currency !== currency) throw invalid('currency_mixed', 'both prices have one currency')
  return {
    'price.currency': currency,
    'price.min': { ...(minPrice ? { $gte: minPrice.minor } : {}), ...(maxPrice ? { $lte: maxPrice.minor } : {}) },
  }
}
