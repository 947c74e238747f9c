import { inputOf } from '@haat/kit/http/input-of'
import { parts } from '@haat/kit/http/parts'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageArgs, pageOf, pageQuery, strict, timeInput, uuidSchema, z } from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import {
  CancelReason,
  OrderRefund,
  RefundLinesRequest,
  TimelineEntry,
  UpdateFulfilmentRequest,
  VendorOrder,
  VendorOrderStatus,
} from '@haat/proto/order/v1/order'
import { CreateLabelRequest, Shipment } from '@haat/proto/shipping/v1/shipping'
import { ownVendor, type VendorBffContext } from '../context.ts'

const tags = ['orders']
const vendorOrder = viewOf(VendorOrder)
const refund = viewOf(OrderRefund)
const timelineEntry = viewOf(TimelineEntry)
const shipment = viewOf(Shipment)
const vendorId = z.object({ vendorId: uuidSchema })
const orderId = z.object({ vendorId: uuidSchema, id: uuidSchema })

const list = route({
  method: 'get',
  path: '/vendors/{vendorId}/orders',
  summary: 'My part of the orders, newest first',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object({
    ...pageQuery,
    status: enumSchema(VendorOrderStatus).optional(),
    q: z.string().max(100).default(''),
    from: timeInput.optional(),
    to: timeInput.optional(),
  }),
  response: pageOf(vendorOrder.schema),
})
const get = route({
  method: 'get',
  path: '/vendors/{vendorId}/orders/{id}',
  summary: 'My part of an order: lines, money, parcel, timeline',
  tags,
  auth: 'vendor',
  params: orderId,
  response: z
    .object({
      order: vendorOrder.schema,
      refunds: z.array(refund.schema),
      timeline: z.array(timelineEntry.schema),
      shipment: shipment.schema.nullable(),
      degraded: z.array(z.string()),
    })
    .openapi('VendorOrderPage'),
})
const accept = route({
  method: 'post',
  path: '/vendors/{vendorId}/orders/{id}/accept',
  summary: 'Accept: we will deliver this',
  tags,
  auth: 'vendor',
  params: orderId,
  response: vendorOrder.schema,
})
const fulfil = route({
  method: 'post',
  path: '/vendors/{vendorId}/orders/{id}/ship',
  summary: 'Say that it is shipped or delivered (own carriers; with our labels the scans say it)',
  tags,
  auth: 'vendor',
  params: orderId,
  body: inputOf(UpdateFulfilmentRequest, { omit: ['vendorOrderId'] }),
  response: vendorOrder.schema,
})
const createLabel = route({
  method: 'post',
  path: '/vendors/{vendorId}/orders/{id}/label',
  summary: 'Make the parcel label; repeating it answers the same parcel',
  tags,
  auth: 'vendor',
  params: orderId,
  body: inputOf(CreateLabelRequest, { omit: ['vendorOrderId'] }),
  response: shipment.schema,
})
const labelFile = route({
  method: 'get',
  path: '/vendors/{vendorId}/shipments/{id}/label.pdf',
  summary: 'The label to print',
  tags,
  auth: 'vendor',
  params: orderId,
  contentType: 'application/pdf',
})
const cancel = route({
  method: 'post',
  path: '/vendors/{vendorId}/orders/{id}/cancel',
  summary: 'We cannot deliver this: the customer gets the money back',
  tags,
  auth: 'vendor',
  params: orderId,
  body: strict({ reason: enumSchema(CancelReason), note: z.string().max(500).default('') }),
  response: vendorOrder.schema,
})
const refundLines = route({
  method: 'post',
  path: '/vendors/{vendorId}/orders/{id}/refunds',
  summary: 'Give the money of unshipped lines back',
  tags,
  auth: 'vendor',
  idempotent: true,
  params: orderId,
  body: inputOf(RefundLinesRequest, { omit: ['vendorOrderId', 'idempotencyKey'] }),
  response: z.object({ refund: refund.schema, order: vendorOrder.schema }).openapi('Refunded'),
})

export function orderRoutes(ctx: VendorBffContext) {
  const of = (param: { id: string }) => ({ vendorOrderId: param.id })
  return createRoutes()
    .openapi(list, async (c) => {
      const { status, q, from, to, ...page } = c.req.valid('query')
      const answer = await ctx.order.listVendorOrders({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        query: q,
        ...pageArgs(page),
        ...(status ? { status } : {}),
        ...(from ? { from } : {}),
        ...(to ? { to } : {}),
      })
      return c.json({ items: answer.vendorOrders.map(vendorOrder.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(get, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const { optional, degraded } = parts()
      const { id } = c.req.valid('param')
      const answer = await ctx.order.getVendorOrder({ vendorOrderId: id })
      const shipped = answer.vendorOrder!.trackingNo !== ''
      const parcel = shipped
        ? await optional(
            ctx.shipping.getShipment({ key: { $case: 'vendorOrderId', value: id } }),
            { shipment: undefined },
            'shipment',
          )
        : { shipment: undefined }
      return c.json(
        {
          order: vendorOrder.toJson(answer.vendorOrder!),
          refunds: answer.refunds.map(refund.toJson),
          timeline: answer.timeline.map(timelineEntry.toJson),
          shipment: parcel.shipment ? shipment.toJson(parcel.shipment) : null,
          degraded,
        },
        200,
      )
    })
    .openapi(accept, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      return c.json(vendorOrder.toJson((await ctx.order.acceptVendorOrder(of(c.req.valid('param')))).vendorOrder!), 200)
    })
    .openapi(fulfil, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.order.updateFulfilment({ ...c.req.valid('json'), ...of(c.req.valid('param')) })
      return c.json(vendorOrder.toJson(answer.vendorOrder!), 200)
    })
    .openapi(createLabel, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.shipping.createLabel({ ...c.req.valid('json'), ...of(c.req.valid('param')) })
      return c.json(shipment.toJson(answer.shipment!), 200)
    })
    .openapi(labelFile, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const { content, contentType } = await ctx.shipping.getLabel({ shipmentId: c.req.valid('param').id })
      return c.body(new Uint8Array(content), 200, { 'Content-Type': contentType })
    })
    .openapi(cancel, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.order.cancelVendorOrder({ ...c.req.valid('json'), ...of(c.req.valid('param')) })
      return c.json(vendorOrder.toJson(answer.vendorOrder!), 200)
    })
    .openapi(refundLines, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.order.refundLines({
        ...c.req.valid('json'),
        ...of(c.req.valid('param')),
        idempotencyKey: c.get('idempotencyKey'),
      })
      return c.json({ refund: refund.toJson(answer.refund!), order: vendorOrder.toJson(answer.vendorOrder!) }, 200)
    })
}
