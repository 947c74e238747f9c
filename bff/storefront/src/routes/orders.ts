import { AppError } from '@haat/kit/errors'
import { inputOf } from '@haat/kit/http/input-of'
import { parts } from '@haat/kit/http/parts'
import { createRoutes, route } from '@haat/kit/http/route'
import { strict, z } from '@haat/kit/http/schemas'
import { enumSchemaOr, viewOf } from '@haat/kit/http/view'
import { CancelReason, Order, PaymentSession, PlaceOrderRequest, TimelineEntry } from '@haat/proto/order/v1/order'
import type { StorefrontContext } from '../context.ts'

const tags = ['orders']
const order = viewOf(Order)
const paymentSession = viewOf(PaymentSession)
const timelineEntry = viewOf(TimelineEntry)
const orderNo = z.object({ orderNo: z.string().min(1).max(40) })

const place = route({
  method: 'post',
  path: '/orders',
  summary: 'Place the order: goods and coupons are held, and the answer says how to pay',
  description:
    'Repeating it with the same Idempotency-Key answers the same order. `expectedTotal` and `cartRevision` of the summary guard against surprises.',
  tags,
  auth: 'user',
  rateClass: 'checkout',
  idempotent: true,
  status: 201,
  timeoutMs: 15_000,
  body: inputOf(PlaceOrderRequest, { omit: ['idempotencyKey'] }),
  response: z.object({ order: order.schema, payment: paymentSession.schema.nullable() }).openapi('PlacedOrder'),
})
const get = route({
  method: 'get',
  path: '/orders/{orderNo}',
  summary: 'An order, with its timeline and the names of its vendors',
  tags,
  auth: 'user',
  params: orderNo,
  response: z
    .object({
      order: order.schema,
      timeline: z.array(timelineEntry.schema),
      vendors: z.record(z.string(), z.object({ name: z.string(), slug: z.string() })),
      degraded: z.array(z.string()),
    })
    .openapi('OrderPage'),
})
const cancel = route({
  method: 'post',
  path: '/orders/{orderNo}/cancel',
  summary: 'Cancel an order before it is shipped',
  tags,
  auth: 'user',
  rateClass: 'checkout',
  params: orderNo,
  body: strict({
    reason: enumSchemaOr(CancelReason, 'customer_request'),
    note: z.string().max(500).default(''),
  }),
  response: order.schema,
})

export function orderRoutes(ctx: StorefrontContext) {
  return createRoutes()
    .openapi(place, async (c) => {
      const answer = await ctx.order.placeOrder({ ...c.req.valid('json'), idempotencyKey: c.get('idempotencyKey') })
      const payment = answer.paymentSession ? paymentSession.toJson(answer.paymentSession) : null
      return c.json({ order: order.toJson(answer.order!), payment }, 201)
    })
    .openapi(get, async (c) => {
      const { optional, degraded } = parts()
      const answer = await ctx.order.getOrder({ ...c.req.valid('param'), withTimeline: true })
      const found = answer.order!
      const vendorIds = [...new Set(found.vendorOrders.map((part) => part.vendorId))]
      const { vendors } = await optional(ctx.vendor.batchGetVendors({ vendorIds }), { vendors: [] }, 'vendors')
      return c.json(
        {
          order: order.toJson(found),
          timeline: answer.timeline.map(timelineEntry.toJson),
          vendors: Object.fromEntries(vendors.map(({ id, name, slug }) => [id, { name, slug }])),
          degraded,
        },
        200,
      )
    })
    .openapi(cancel, async (c) => {
      const answer = await ctx.order.cancelOrder({ ...c.req.valid('param'), ...c.req.valid('json') })
      if (!answer.order) throw new AppError('INTERNAL', 'internal_error', 'the answer has no order')
      return c.json(order.toJson(answer.order), 200)
    })
}
