import { notFound } from '@haat/kit/errors'
import { parts } from '@haat/kit/http/parts'
import { createRoutes, route } from '@haat/kit/http/route'
import { currencySchema, pageOf, pageQuery, skuSchema, slugSchema, uuidSchema, z } from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import { Brand, Category, Offer, Product, ProductCard, ProductSort } from '@haat/proto/catalog/v1/catalog'
import { Availability } from '@haat/proto/inventory/v1/inventory'
import { RatingHistogram, Review, ReviewSort } from '@haat/proto/review/v1/review'
import { PublicVendor } from '@haat/proto/vendor/v1/vendor'
import type { StorefrontContext } from '../context.ts'

const tags = ['catalogue']
const card = viewOf(ProductCard, { omit: ['hasOpenChangeRequest', 'status', 'visible'], name: 'ProductCard' })
const product = viewOf(Product, {
  omit: ['rejectionReason', 'openChangeRequestId', 'visible', 'status', 'version'],
  name: 'Product',
})
const category = viewOf(Category)
const brand = viewOf(Brand)
const offer = viewOf(Offer)
const availability = viewOf(Availability)
const review = viewOf(Review, { omit: ['userId', 'orderNo', 'orderItemId', 'rejectionReason'], name: 'PublicReview' })
const histogram = viewOf(RatingHistogram)
const vendor = viewOf(PublicVendor)

/**
 * We hold what the services answered for two seconds and say how old it is, so caches on the way add nothing to that bound.
 * A price that counts is never taken from a cache.
 */
const CATALOGUE = { maxAge: 1 }
const SLOW_CHANGING = { maxAge: 60, staleWhileRevalidate: 300 }
/** Optional parts of a page do not hold it up. */
const PATIENCE = { withinMs: 800 }
const unrated = { reviews: [], histogram: RatingHistogram.fromPartial({}) }

const filters = {
  ...pageQuery,
  category: slugSchema.optional(),
  brand: uuidSchema.optional(),
  vendor: uuidSchema.optional(),
  currency: currencySchema.optional(),
  min_price: z.coerce
    .number()
    .int()
    .min(0)
    .max(1e12)
    .optional()
    .openapi({ description: 'Minor units; needs `currency`' }),
  max_price: z.coerce
    .number()
    .int()
    .min(0)
    .max(1e12)
    .optional()
    .openapi({ description: 'Minor units; needs `currency`' }),
  q: z.string().trim().max(200).default(''),
  sort: enumSchema(ProductSort).optional(),
}

const home = route({
  method: 'get',
  path: '/home',
  summary: 'The front page: categories, newest and best rated products',
  tags,
  auth: 'public',
  cache: CATALOGUE,
  response: z
    .object({
      categories: z.array(category.schema),
      newest: z.array(card.schema),
      bestRated: z.array(card.schema),
      degraded: z.array(z.string()),
    })
    .openapi('Home'),
})
const listCategories = route({
  method: 'get',
  path: '/categories',
  summary: 'The category tree, parents before children',
  tags,
  auth: 'public',
  cache: SLOW_CHANGING,
  response: z.object({ items: z.array(category.schema) }).openapi('Categories'),
})
const listBrands = route({
  method: 'get',
  path: '/brands',
  summary: 'Brands by name',
  tags,
  auth: 'public',
  cache: SLOW_CHANGING,
  query: z.object({ ...pageQuery, q: z.string().max(100).default('') }),
  response: pageOf(brand.schema),
})
const listProducts = route({
  method: 'get',
  path: '/products',
  summary: 'Products by filter and order',
  tags,
  auth: 'public',
  cache: CATALOGUE,
  query: z.object(filters),
  response: pageOf(card.schema),
})
const search = route({
  method: 'get',
  path: '/search',
  summary: 'Products that match a text, by filter and order',
  tags,
  auth: 'public',
  cache: CATALOGUE,
  query: z.object({ ...filters, q: z.string().trim().min(1).max(200) }),
  response: pageOf(card.schema),
})
const suggest = route({
  method: 'get',
  path: '/search/suggest',
  summary: 'Up to ten products for what has been typed so far',
  tags,
  auth: 'public',
  cache: CATALOGUE,
  query: z.object({ q: z.string().trim().min(1).max(100) }),
  response: z.object({ items: z.array(z.object({ title: z.string(), slug: z.string() })) }).openapi('Suggestions'),
})
const getProduct = route({
  method: 'get',
  path: '/products/{slug}',
  summary: 'A product page: product, vendor, stock, reviews, other offers of the same item',
  tags,
  auth: 'public',
  cache: CATALOGUE,
  params: z.object({ slug: slugSchema }),
  response: z
    .object({
      product: product.schema,
      breadcrumb: z.array(category.schema),
      brand: brand.schema.nullable(),
      vendor: vendor.schema.nullable(),
      stock: z.record(z.string(), z.int()).openapi({ description: 'Units that can be sold now, by SKU' }),
      reviews: z.array(review.schema),
      ratings: histogram.schema.nullable(),
      offers: z.array(offer.schema).openapi({ description: 'The same item at all vendors, best first' }),
      degraded: z.array(z.string()),
    })
    .openapi('ProductPage'),
})
const listReviews = route({
  method: 'get',
  path: '/products/{id}/reviews',
  summary: 'Reviews of a product, with the histogram of its ratings',
  tags: ['reviews'],
  auth: 'public',
  cache: CATALOGUE,
  params: z.object({ id: uuidSchema }),
  query: z.object({
    ...pageQuery,
    sort: enumSchema(ReviewSort).optional(),
    rating: z.coerce.number().int().min(1).max(5).optional(),
  }),
  response: z
    .object({ items: z.array(review.schema), nextPageToken: z.string(), ratings: histogram.schema })
    .openapi('ProductReviews'),
})
const getStock = route({
  method: 'get',
  path: '/inventory/{sku}',
  summary: 'What can be sold of a SKU now',
  tags,
  auth: 'public',
  params: z.object({ sku: skuSchema }),
  response: availability.schema,
})

export function catalogRoutes(ctx: StorefrontContext) {
  const find = async ({ page_size, page_token, ...query }: z.infer<z.ZodObject<typeof filters>>) => {
    const price = (minor: number | undefined) =>
      minor === undefined || !query.currency ? undefined : { currency: query.currency, minor: BigInt(minor) }
    const [minPrice, maxPrice] = [price(query.min_price), price(query.max_price)]
    const { products, nextPageToken } = await ctx.catalog.listProducts({
      pageSize: page_size,
      pageToken: page_token,
      query: query.q,
      ...(query.category ? { categorySlug: query.category } : {}),
      ...(query.brand ? { brandId: query.brand } : {}),
      ...(query.vendor ? { vendorId: query.vendor } : {}),
      ...(minPrice ? { minPrice } : {}),
      ...(maxPrice ? { maxPrice } : {}),
      ...(query.sort ? { sort: query.sort } : {}),
    })
    return { items: products.map(card.toJson), nextPageToken }
  }
  return createRoutes()
    .openapi(home, async (c) => {
      const { optional, degraded } = parts()
      const some = (sort: ProductSort) => ctx.catalog.listProducts({ pageSize: 12, sort })
      const [{ categories }, newest, bestRated] = await Promise.all([
        optional(ctx.catalog.listCategories({}), { categories: [] }, 'categories'),
        optional(some(ProductSort.NEWEST), { products: [] }, 'newest'),
        optional(some(ProductSort.RATING), { products: [] }, 'bestRated'),
      ])
      return c.json(
        {
          categories: categories.filter(({ depth }) => depth === 0).map(category.toJson),
          newest: newest.products.map(card.toJson),
          bestRated: bestRated.products.map(card.toJson),
          degraded,
        },
        200,
      )
    })
    .openapi(listCategories, async (c) => {
      const { categories } = await ctx.catalog.listCategories({})
      return c.json({ items: categories.map(category.toJson) }, 200)
    })
    .openapi(listBrands, async (c) => {
      const { page_size, page_token, q } = c.req.valid('query')
      const { brands, nextPageToken } = await ctx.catalog.listBrands({
        pageSize: page_size,
        pageToken: page_token,
        query: q,
      })
      return c.json({ items: brands.map(brand.toJson), nextPageToken }, 200)
    })
    .openapi(listProducts, async (c) => c.json(await find(c.req.valid('query')), 200))
    .openapi(search, async (c) => c.json(await find(c.req.valid('query')), 200))
    .openapi(suggest, async (c) => {
      const { products } = await ctx.catalog.listProducts({ pageSize: 10, query: c.req.valid('query').q })
      return c.json({ items: products.map(({ title, slug }) => ({ title, slug })) }, 200)
    })
    .openapi(getProduct, async (c) => {
      const { optional, degraded } = parts()
      const { slug } = c.req.valid('param')
      const [found] = (await ctx.catalog.batchGetProductsBySlug({ slugs: [slug] })).products
      if (!found) throw notFound('product_not_found', 'no such product')
      const item = found.product!
      const skus = item.variants.map(({ sku }) => sku)
      const barcode = item.variants.find((variant) => variant.barcode)?.barcode
      const [vendors, stock, reviews, others] = await Promise.all([
        optional(ctx.vendor.batchGetVendors({ vendorIds: [item.vendorId] }), { vendors: [] }, 'vendor', PATIENCE),
        skus.length
          ? optional(ctx.inventory.batchGetStock({ skus }), { stocks: [] }, 'stock', PATIENCE)
          : { stocks: [] },
        // The catalogue hears of every approved review: most products have none to ask for.
        item.ratingCount
          ? optional(
              ctx.review.listReviews({ productId: item.id, pageSize: 10 }),
              { reviews: [], histogram: undefined },
              'reviews',
              PATIENCE,
            )
          : unrated,
        barcode ? optional(ctx.catalog.listOffers({ barcode }), { offers: [] }, 'offers', PATIENCE) : { offers: [] },
      ])
      return c.json(
        {
          product: product.toJson(item),
          breadcrumb: found.breadcrumb.map(category.toJson),
          brand: found.brand ? brand.toJson(found.brand) : null,
          vendor: vendors.vendors[0] ? vendor.toJson(vendors.vendors[0]) : null,
          stock: Object.fromEntries(stock.stocks.map(({ sku, available }) => [sku, available])),
          reviews: reviews.reviews.map(review.toJson),
          ratings: reviews.histogram ? histogram.toJson(reviews.histogram) : null,
          offers: others.offers.map(offer.toJson),
          degraded,
        },
        200,
      )
    })
    .openapi(listReviews, async (c) => {
      const { page_size, page_token, sort, rating } = c.req.valid('query')
      const answer = await ctx.review.listReviews({
        productId: c.req.valid('param').id,
        pageSize: page_size,
        pageToken: page_token,
        ...(sort ? { sort } : {}),
        ...(rating ? { rating } : {}),
      })
      return c.json(
        {
          items: answer.reviews.map(review.toJson),
          nextPageToken: answer.nextPageToken,
          ratings: histogram.toJson(answer.histogram!),
        },
        200,
      )
    })
    .openapi(getStock, async (c) =>
      c.json(availability.toJson((await ctx.inventory.getStock(c.req.valid('param'))).stock!), 200),
    )
}
