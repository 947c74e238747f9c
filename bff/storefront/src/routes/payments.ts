import { createRoutes, route } from '@haat/kit/http/route'
import { moneyJson, moneySchema, strict, z } from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import { PaymentProvider, PaymentSession } from '@haat/proto/payment/v1/payment'
import type { StorefrontContext } from '../context.ts'

const tags = ['payments']
const session = viewOf(PaymentSession)
const WEBHOOK_LIMIT = 256 * 1024

const intent = route({
  method: 'post',
  path: '/payments/intent',
  summary: 'How to pay an order that is not paid yet (after a declined card, or in another browser)',
  tags,
  auth: 'user',
  rateClass: 'checkout',
  body: strict({ orderNo: z.string().min(1).max(40) }),
  response: z.object({ payment: session.schema, amount: moneySchema }).openapi('PayOrder'),
})
const webhook = route({
  method: 'post',
  path: '/payments/webhook/{provider}',
  summary: "A payment provider's signed notice",
  tags,
  auth: 'public',
  rateClass: 'webhook',
  csrf: false,
  params: z.object({ provider: enumSchema(PaymentProvider) }),
  upload: { kind: 'raw', accepts: ['application/json'], limitBytes: WEBHOOK_LIMIT },
  response: z.object({ received: z.boolean() }).openapi('WebhookReceived'),
})

export function paymentRoutes(ctx: StorefrontContext) {
  return createRoutes()
    .openapi(intent, async (c) => {
      const { order } = await ctx.order.getOrder({ orderNo: c.req.valid('json').orderNo })
      const answer = await ctx.payment.getPaymentSession({ orderId: order!.id })
      return c.json({ payment: session.toJson(answer.session!), amount: moneyJson(answer.amount!) }, 200)
    })
    .openapi(webhook, async (c) => {
      await ctx.payment.handleWebhook({
        provider: c.req.valid('param').provider,
        payload: Buffer.from(c.get('body')),
        signature: c.req.header('stripe-signature')?.slice(0, 2000) ?? '',
      })
      return c.json({ received: true }, 200)
    })
}
