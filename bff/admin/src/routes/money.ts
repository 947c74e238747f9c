import { queryOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { moneyJson, moneySchema, pageOf, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import {
  AccountBalance,
  GetTrialBalanceRequest,
  ListPaymentsRequest,
  ListPostingsRequest,
  Payment,
  Posting,
} from '@haat/proto/payment/v1/payment'
import {
  Balance,
  Earning,
  ExplainPayoutRequest,
  ListEarningsRequest,
  ListPayoutsRequest,
  Payout,
  PayoutEntry,
} from '@haat/proto/vendor/v1/vendor'
import type { AdminBffContext } from '../context.ts'

const tags = ['money']
const payment = viewOf(Payment)
const account = viewOf(AccountBalance)
const posting = viewOf(Posting)
const payout = viewOf(Payout)
const entry = viewOf(PayoutEntry)
const earning = viewOf(Earning)
const balance = viewOf(Balance)
const id = z.object({ id: uuidSchema })

const payments = route({
  method: 'get',
  path: '/admin/payments',
  summary: 'Payments, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListPaymentsRequest),
  response: pageOf(payment.schema),
})
const getPayment = route({
  method: 'get',
  path: '/admin/payments/{id}',
  summary: 'A payment with its refunds',
  tags,
  auth: 'staff',
  params: id,
  response: payment.schema,
})
const trialBalance = route({
  method: 'get',
  path: '/admin/ledger/trial-balance',
  summary: 'Every account of the ledger; the sums are zero in each currency',
  tags,
  auth: 'staff',
  query: queryOf(GetTrialBalanceRequest),
  response: z.object({ balances: z.array(account.schema), sums: z.array(moneySchema) }).openapi('TrialBalance'),
})
const postings = route({
  method: 'get',
  path: '/admin/ledger/postings',
  summary: 'Postings, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListPostingsRequest),
  response: pageOf(posting.schema),
})
const payouts = route({
  method: 'get',
  path: '/admin/payouts',
  summary: 'Payouts of all vendors, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListPayoutsRequest),
  response: pageOf(payout.schema),
})
const explain = route({
  method: 'get',
  path: '/admin/payouts/{id}',
  summary: 'A payout down to its order lines and commission rules',
  tags,
  auth: 'staff',
  params: id,
  query: queryOf(ExplainPayoutRequest, { omit: ['payoutId'] }),
  response: z
    .object({ payout: payout.schema, entries: z.array(entry.schema), nextPageToken: z.string() })
    .openapi('PayoutExplained'),
})
const approve = route({
  method: 'post',
  path: '/admin/payouts/{id}/approve',
  summary: 'Approve a payout: the money goes to the vendor; never by the person who asked for it',
  tags,
  auth: 'staff',
  params: id,
  response: payout.schema,
})
const reject = route({
  method: 'post',
  path: '/admin/payouts/{id}/reject',
  summary: 'Reject a payout; its earnings become available again',
  tags,
  auth: 'staff',
  params: id,
  body: strict({ reason: z.string().trim().min(1).max(500) }),
  response: payout.schema,
})
const earnings = route({
  method: 'get',
  path: '/admin/earnings',
  summary: 'Earnings of all vendors, newest first',
  tags,
  auth: 'staff',
  query: queryOf(ListEarningsRequest),
  response: pageOf(earning.schema),
})
const balances = route({
  method: 'get',
  path: '/admin/vendors/{id}/balance',
  summary: "A vendor's balance per currency",
  tags,
  auth: 'staff',
  params: id,
  response: z.object({ items: z.array(balance.schema) }).openapi('Balances'),
})

export function moneyRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(payments, async (c) => {
      const answer = await ctx.payment.listPayments(c.req.valid('query'))
      return c.json({ items: answer.payments.map(payment.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(getPayment, async (c) => {
      const answer = await ctx.payment.getPayment({ key: { $case: 'paymentId', value: c.req.valid('param').id } })
      return c.json(payment.toJson(answer.payment!), 200)
    })
    .openapi(trialBalance, async (c) => {
      const answer = await ctx.payment.getTrialBalance(c.req.valid('query'))
      return c.json({ balances: answer.balances.map(account.toJson), sums: answer.sums.map(moneyJson) }, 200)
    })
    .openapi(postings, async (c) => {
      const answer = await ctx.payment.listPostings(c.req.valid('query'))
      return c.json({ items: answer.postings.map(posting.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(payouts, async (c) => {
      const answer = await ctx.vendor.listPayouts(c.req.valid('query'))
      return c.json({ items: answer.payouts.map(payout.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(explain, async (c) => {
      const answer = await ctx.vendor.explainPayout({ ...c.req.valid('query'), payoutId: c.req.valid('param').id })
      return c.json(
        {
          payout: payout.toJson(answer.payout!),
          entries: answer.entries.map(entry.toJson),
          nextPageToken: answer.nextPageToken,
        },
        200,
      )
    })
    .openapi(approve, async (c) => {
      const answer = await ctx.vendor.approvePayout({ payoutId: c.req.valid('param').id })
      return c.json(payout.toJson(answer.payout!), 200)
    })
    .openapi(reject, async (c) => {
      const answer = await ctx.vendor.rejectPayout({ payoutId: c.req.valid('param').id, ...c.req.valid('json') })
      return c.json(payout.toJson(answer.payout!), 200)
    })
    .openapi(earnings, async (c) => {
      const answer = await ctx.vendor.listEarnings(c.req.valid('query'))
      return c.json({ items: answer.earnings.map(earning.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(balances, async (c) => {
      const answer = await ctx.vendor.getBalance({ vendorId: c.req.valid('param').id })
      return c.json({ items: answer.balances.map(balance.toJson) }, 200)
    })
}
