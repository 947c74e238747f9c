import { inputOf, queryOf } from '@haat/kit/http/input-of'
import { parts } from '@haat/kit/http/parts'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import {
  CancelReason,
  ListOrdersRequest,
  ListVendorOrdersRequest,
  Order,
  OrderRefund,
  RefundLinesRequest,
  TimelineEntry,
  UpdateFulfilmentRequest,
  VendorOrder,
} from '@haat/proto/order/v1/order'
import { Payment } from '@haat/proto/payment/v1/payment'
import { ListShipmentsRequest, Shipment } from '@haat/proto/shipping/v1/shipping'
import type { AdminBffContext } from '../context.ts'

const tags = ['orders']
const order = viewOf(Order)
const vendorOrder = viewOf(VendorOrder)
const refund = viewOf(OrderRefund)
const timelineEntry = viewOf(TimelineEntry)
const payment = viewOf(Payment)
const shipment = viewOf(Shipment)
const orderNo = z.object({ orderNo: z.string().min(1).max(40) })
const id = z.object({ id: uuidSchema })

const list = route({
  method: 'get',
  path: '/admin/orders',
  summary: 'Orders, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListOrdersRequest),
  response: pageOf(order.schema),
})
const get = route({
  method: 'get',
  path: '/admin/orders/{orderNo}',
  summary: 'An order with its timeline, payment and parcels',
  tags,
  auth: 'staff',
  params: orderNo,
  response: z
    .object({
      order: order.schema,
      timeline: z.array(timelineEntry.schema),
      payment: payment.schema.nullable(),
      shipments: z.array(shipment.schema),
      degraded: z.array(z.string()),
    })
    .openapi('OrderPage'),
})
const cancel = route({
  method: 'post',
  path: '/admin/orders/{orderNo}/cancel',
  summary: 'Cancel an order; what was paid is refunded',
  tags,
  auth: 'staff',
  params: orderNo,
  body: strict({ reason: enumSchema(CancelReason), note: z.string().max(500).default('') }),
  response: order.schema,
})
const listVendorOrders = route({
  method: 'get',
  path: '/admin/vendor-orders',
  summary: 'Vendor orders, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListVendorOrdersRequest),
  response: pageOf(vendorOrder.schema),
})
const setStatus = route({
  method: 'patch',
  path: '/admin/orders/{id}/status',
  summary: 'Say for a vendor order that it is shipped or delivered',
  tags,
  auth: 'staff',
  params: id,
  body: inputOf(UpdateFulfilmentRequest, { omit: ['vendorOrderId'] }),
  response: vendorOrder.schema,
})
const cancelPart = route({
  method: 'post',
  path: '/admin/vendor-orders/{id}/cancel',
  summary: "Cancel one vendor's part; what was paid for it is refunded",
  tags,
  auth: 'staff',
  params: id,
  body: strict({ reason: enumSchema(CancelReason), note: z.string().max(500).default('') }),
  response: vendorOrder.schema,
})
const refundLines = route({
  method: 'post',
  path: '/admin/vendor-orders/{id}/refunds',
  summary: 'Give the money of lines back',
  tags,
  auth: 'staff',
  idempotent: true,
  params: id,
  body: inputOf(RefundLinesRequest, { omit: ['vendorOrderId', 'idempotencyKey'] }),
  response: z.object({ refund: refund.schema, order: vendorOrder.schema }).openapi('Refunded'),
})
const shipments = route({
  method: 'get',
  path: '/admin/shipments',
  summary: 'Parcels, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListShipmentsRequest),
  response: pageOf(shipment.schema),
})

export function orderRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(list, async (c) => {
      const { orders, nextPageToken } = await ctx.order.listOrders(c.req.valid('query'))
      return c.json({ items: orders.map(order.toJson), nextPageToken }, 200)
    })
    .openapi(get, async (c) => {
      const { optional, degraded } = parts()
      const answer = await ctx.order.getOrder({ ...c.req.valid('param'), withTimeline: true })
      const found = answer.order!
      const [paid, parcels] = await Promise.all([
        optional(ctx.payment.listPayments({ orderId: found.id, pageSize: 1 }), { payments: [] }, 'payment'),
        optional(ctx.shipping.listShipments({ orderId: found.id, pageSize: 100 }), { shipments: [] }, 'shipments'),
      ])
      return c.json(
        {
          order: order.toJson(found),
          timeline: answer.timeline.map(timelineEntry.toJson),
          payment: paid.payments[0] ? payment.toJson(paid.payments[0]) : null,
          shipments: parcels.shipments.map(shipment.toJson),
          degraded,
        },
        200,
      )
    })
    .openapi(cancel, async (c) => {
      const answer = await ctx.order.cancelOrder({ ...c.req.valid('json'), ...c.req.valid('param') })
      return c.json(order.toJson(answer.order!), 200)
    })
    .openapi(listVendorOrders, async (c) => {
      const answer = await ctx.order.listVendorOrders(c.req.valid('query'))
      return c.json({ items: answer.vendorOrders.map(vendorOrder.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(setStatus, async (c) => {
      const answer = await ctx.order.updateFulfilment({
        ...c.req.valid('json'),
        vendorOrderId: c.req.valid('param').id,
      })
      return c.json(vendorOrder.toJson(answer.vendorOrder!), 200)
    })
    .openapi(cancelPart, async (c) => {
      const answer = await ctx.order.cancelVendorOrder({
        ...c.req.valid('json'),
        vendorOrderId: c.req.valid('param').id,
      })
      return c.json(vendorOrder.toJson(answer.vendorOrder!), 200)
    })
    .openapi(refundLines, async (c) => {
      const answer = await ctx.order.refundLines({
        ...c.req.valid('json'),
        vendorOrderId: c.req.valid('param').id,
        idempotencyKey: c.get('idempotencyKey'),
      })
      return c.json({ refund: refund.toJson(answer.refund!), order: vendorOrder.toJson(answer.vendorOrder!) }, 200)
    })
    .openapi(shipments, async (c) => {
      const answer = await ctx.shipping.listShipments(c.req.valid('query'))
      return c.json({ items: answer.shipments.map(shipment.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
}
