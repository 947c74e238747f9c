import { inputOf } from '@haat/kit/http/input-of'
import { parts } from '@haat/kit/http/parts'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageQuery, slugSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import { ProductCard } from '@haat/proto/catalog/v1/catalog'
import { ApplyRequest, PublicVendor, Vendor } from '@haat/proto/vendor/v1/vendor'
import type { StorefrontContext } from '../context.ts'

const tags = ['vendors']
const card = viewOf(ProductCard, { omit: ['hasOpenChangeRequest', 'status', 'visible'], name: 'ProductCard' })
const publicVendor = viewOf(PublicVendor)
const vendor = viewOf(Vendor)

const getVendor = route({
  method: 'get',
  path: '/vendors/{slug}',
  summary: "A vendor's page with its products",
  tags,
  auth: 'public',
  params: z.object({ slug: slugSchema }),
  query: z.object(pageQuery),
  response: z
    .object({
      vendor: publicVendor.schema,
      products: z.array(card.schema),
      nextPageToken: z.string(),
      degraded: z.array(z.string()),
    })
    .openapi('VendorPage'),
})
const apply = route({
  method: 'post',
  path: '/vendors/apply',
  summary: 'Apply to sell; the rest of the application goes on in the vendor API',
  tags,
  auth: 'user',
  status: 201,
  body: inputOf(ApplyRequest),
  response: vendor.schema,
})

export function vendorRoutes(ctx: StorefrontContext) {
  return createRoutes()
    .openapi(getVendor, async (c) => {
      const { page_size, page_token } = c.req.valid('query')
      const { optional, degraded } = parts()
      const found = (await ctx.vendor.getVendorBySlug(c.req.valid('param'))).vendor!
      const { products, nextPageToken } = await optional(
        ctx.catalog.listProducts({ vendorId: found.id, pageSize: page_size, pageToken: page_token }),
        { products: [], nextPageToken: '' },
        'products',
      )
      return c.json(
        { vendor: publicVendor.toJson(found), products: products.map(card.toJson), nextPageToken, degraded },
        200,
      )
    })
    .openapi(apply, async (c) => c.json(vendor.toJson((await ctx.vendor.apply(c.req.valid('json'))).vendor!), 201))
}
