import { inputOf, queryOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import {
  Coupon,
  CreateCouponRequest,
  ListCouponsRequest,
  UpdateCouponRequest,
} from '@haat/proto/promotion/v1/promotion'
import type { AdminBffContext } from '../context.ts'

const tags = ['coupons']
const coupon = viewOf(Coupon)

const list = route({
  method: 'get',
  path: '/admin/coupons',
  summary: 'Coupons of the platform and of all vendors',
  tags,
  auth: 'staff',
  query: queryOf(ListCouponsRequest),
  response: pageOf(coupon.schema),
})
const create = route({
  method: 'post',
  path: '/admin/coupons',
  summary: 'Make a coupon; `fundedBy` says who pays',
  tags,
  auth: 'staff',
  status: 201,
  body: inputOf(CreateCouponRequest),
  response: coupon.schema,
})
const update = route({
  method: 'patch',
  path: '/admin/coupons/{id}',
  summary: 'Change a coupon',
  tags,
  auth: 'staff',
  params: z.object({ id: uuidSchema }),
  body: inputOf(UpdateCouponRequest, { omit: ['couponId'] }),
  response: coupon.schema,
})

export function couponRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(list, async (c) => {
      const answer = await ctx.promotion.listCoupons(c.req.valid('query'))
      return c.json({ items: answer.coupons.map(coupon.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(create, async (c) =>
      c.json(coupon.toJson((await ctx.promotion.createCoupon(c.req.valid('json'))).coupon!), 201),
    )
    .openapi(update, async (c) => {
      const answer = await ctx.promotion.updateCoupon({ ...c.req.valid('json'), couponId: c.req.valid('param').id })
      return c.json(coupon.toJson(answer.coupon!), 200)
    })
}
