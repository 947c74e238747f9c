import { inputOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageArgs, pageOf, pageQuery, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import { Coupon, CreateCouponRequest, FundedBy, UpdateCouponRequest } from '@haat/proto/promotion/v1/promotion'
import { ownVendor, type VendorBffContext } from '../context.ts'

const tags = ['coupons']
const coupon = viewOf(Coupon)
const vendorId = z.object({ vendorId: uuidSchema })

const list = route({
  method: 'get',
  path: '/vendors/{vendorId}/coupons',
  summary: 'My coupons',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object({ ...pageQuery, q: z.string().max(40).default(''), active: z.stringbool().default(false) }),
  response: pageOf(coupon.schema),
})
const create = route({
  method: 'post',
  path: '/vendors/{vendorId}/coupons',
  summary: 'Make a coupon for my own goods, which I pay for',
  tags,
  auth: 'vendor',
  status: 201,
  params: vendorId,
  body: inputOf(CreateCouponRequest, { omit: ['vendorId', 'fundedBy'] }),
  response: coupon.schema,
})
const update = route({
  method: 'patch',
  path: '/vendors/{vendorId}/coupons/{id}',
  summary: 'Change a coupon',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema, id: uuidSchema }),
  body: inputOf(UpdateCouponRequest, { omit: ['couponId'] }),
  response: coupon.schema,
})

export function couponRoutes(ctx: VendorBffContext) {
  return createRoutes()
    .openapi(list, async (c) => {
      const { q, active, ...page } = c.req.valid('query')
      const answer = await ctx.promotion.listCoupons({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        query: q,
        activeOnly: active,
        ...pageArgs(page),
      })
      return c.json({ items: answer.coupons.map(coupon.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(create, async (c) => {
      const answer = await ctx.promotion.createCoupon({
        ...c.req.valid('json'),
        ...c.req.valid('param'),
        fundedBy: FundedBy.VENDOR,
      })
      return c.json(coupon.toJson(answer.coupon!), 201)
    })
    .openapi(update, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.promotion.updateCoupon({ ...c.req.valid('json'), couponId: c.req.valid('param').id })
      return c.json(coupon.toJson(answer.coupon!), 200)
    })
}
