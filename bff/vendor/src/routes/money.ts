import { parts } from '@haat/kit/http/parts'
import { createRoutes, route } from '@haat/kit/http/route'
import {
  currencySchema,
  moneyFromJson,
  moneySchema,
  pageArgs,
  pageOf,
  pageQuery,
  strict,
  timeInput,
  uuidSchema,
  z,
} from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import { StockLevel } from '@haat/proto/inventory/v1/inventory'
import { VendorOrder, VendorOrderStatus } from '@haat/proto/order/v1/order'
import {
  Balance,
  Earning,
  EarningStatus,
  EarningType,
  Payout,
  PayoutEntry,
  PayoutStatus,
} from '@haat/proto/vendor/v1/vendor'
import { ownVendor, type VendorBffContext } from '../context.ts'

const tags = ['money']
const earning = viewOf(Earning)
const balance = viewOf(Balance)
const payout = viewOf(Payout)
const entry = viewOf(PayoutEntry)
const stockLevel = viewOf(StockLevel)
const vendorOrder = viewOf(VendorOrder)
const vendorId = z.object({ vendorId: uuidSchema })

const earnings = route({
  method: 'get',
  path: '/vendors/{vendorId}/earnings',
  summary: 'What I earned, line by line, newest first',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object({
    ...pageQuery,
    status: enumSchema(EarningStatus).optional(),
    type: enumSchema(EarningType).optional(),
    orderId: uuidSchema.optional(),
    from: timeInput.optional(),
    to: timeInput.optional(),
  }),
  response: pageOf(earning.schema),
})
const balances = route({
  method: 'get',
  path: '/vendors/{vendorId}/balance',
  summary: 'What is pending, available, on its way and paid, per currency',
  tags,
  auth: 'vendor',
  params: vendorId,
  response: z.object({ items: z.array(balance.schema) }).openapi('Balances'),
})
const payouts = route({
  method: 'get',
  path: '/vendors/{vendorId}/payouts',
  summary: 'My payouts, newest first',
  tags,
  auth: 'vendor',
  params: vendorId,
  query: z.object({ ...pageQuery, status: enumSchema(PayoutStatus).optional() }),
  response: pageOf(payout.schema),
})
const request = route({
  method: 'post',
  path: '/vendors/{vendorId}/payout-request',
  summary: 'Ask for the whole available balance of a currency',
  tags,
  auth: 'vendor',
  rateClass: 'checkout',
  idempotent: true,
  status: 201,
  params: vendorId,
  body: strict({ currency: currencySchema, expectedAmount: moneySchema.optional() }),
  response: payout.schema,
})
const explain = route({
  method: 'get',
  path: '/vendors/{vendorId}/payouts/{id}',
  summary: 'A payout down to its order lines and the commission rules they were sold under',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema, id: uuidSchema }),
  query: z.object(pageQuery),
  response: z
    .object({ payout: payout.schema, entries: z.array(entry.schema), nextPageToken: z.string() })
    .openapi('PayoutExplained'),
})
const dashboard = route({
  method: 'get',
  path: '/vendors/{vendorId}/dashboard',
  summary: 'What needs me now: new orders, low stock, balance',
  tags,
  auth: 'vendor',
  params: vendorId,
  response: z
    .object({
      newOrders: z.array(vendorOrder.schema),
      lowStock: z.array(stockLevel.schema),
      balances: z.array(balance.schema),
      degraded: z.array(z.string()),
    })
    .openapi('Dashboard'),
})

export function moneyRoutes(ctx: VendorBffContext) {
  return createRoutes()
    .openapi(earnings, async (c) => {
      const { status, type, orderId, from, to, ...page } = c.req.valid('query')
      const answer = await ctx.vendor.listEarnings({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        ...pageArgs(page),
        ...(status ? { status } : {}),
        ...(type ? { type } : {}),
        ...(orderId ? { orderId } : {}),
        ...(from ? { from } : {}),
        ...(to ? { to } : {}),
      })
      return c.json({ items: answer.earnings.map(earning.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(balances, async (c) => {
      const answer = await ctx.vendor.getBalance({ vendorId: ownVendor(c, c.req.valid('param').vendorId) })
      return c.json({ items: answer.balances.map(balance.toJson) }, 200)
    })
    .openapi(payouts, async (c) => {
      const { status, ...page } = c.req.valid('query')
      const answer = await ctx.vendor.listPayouts({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        ...pageArgs(page),
        ...(status ? { status } : {}),
      })
      return c.json({ items: answer.payouts.map(payout.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(request, async (c) => {
      const { currency, expectedAmount } = c.req.valid('json')
      const answer = await ctx.vendor.requestPayout({
        ...c.req.valid('param'),
        currency,
        idempotencyKey: c.get('idempotencyKey'),
        ...(expectedAmount ? { expectedAmount: moneyFromJson(expectedAmount) } : {}),
      })
      return c.json(payout.toJson(answer.payout!), 201)
    })
    .openapi(explain, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.vendor.explainPayout({
        payoutId: c.req.valid('param').id,
        ...pageArgs(c.req.valid('query')),
      })
      return c.json(
        {
          payout: payout.toJson(answer.payout!),
          entries: answer.entries.map(entry.toJson),
          nextPageToken: answer.nextPageToken,
        },
        200,
      )
    })
    .openapi(dashboard, async (c) => {
      const own = ownVendor(c, c.req.valid('param').vendorId)
      const { optional, degraded } = parts()
      const [orders, stock, money] = await Promise.all([
        optional(
          ctx.order.listVendorOrders({ vendorId: own, status: VendorOrderStatus.PENDING, pageSize: 20 }),
          { vendorOrders: [] },
          'newOrders',
        ),
        optional(ctx.inventory.listLowStock({ vendorId: own, pageSize: 20 }), { levels: [] }, 'lowStock'),
        optional(ctx.vendor.getBalance({ vendorId: own }), { balances: [] }, 'balances'),
      ])
      return c.json(
        {
          newOrders: orders.vendorOrders.map(vendorOrder.toJson),
          lowStock: stock.levels.map(stockLevel.toJson),
          balances: money.balances.map(balance.toJson),
          degraded,
        },
        200,
      )
    })
}
