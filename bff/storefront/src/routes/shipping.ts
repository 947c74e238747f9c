import { inputOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import { GetRatesRequest, ParcelRates, TrackResponse } from '@haat/proto/shipping/v1/shipping'
import type { StorefrontContext } from '../context.ts'

const tags = ['shipping']
const rates = viewOf(ParcelRates)
const tracking = viewOf(TrackResponse, { name: 'Tracking', omit: [] })

const getRates = route({
  method: 'post',
  path: '/shipping/rates',
  summary: 'What delivery costs, per vendor parcel',
  tags,
  auth: 'public',
  body: inputOf(GetRatesRequest),
  response: z.object({ parcels: z.array(rates.schema) }).openapi('Rates'),
})
const track = route({
  method: 'get',
  path: '/shipping/track/{trackingNo}',
  summary: 'Where a parcel is',
  tags,
  auth: 'public',
  params: z.object({ trackingNo: z.string().min(1).max(64) }),
  response: tracking.schema,
})
const carrierEvent = route({
  method: 'post',
  path: '/shipping/webhook/{carrier}',
  summary: "A carrier's signed scan",
  tags,
  auth: 'public',
  rateClass: 'webhook',
  csrf: false,
  params: z.object({ carrier: z.string().min(1).max(40) }),
  upload: { kind: 'raw', accepts: ['application/json'], limitBytes: 64 * 1024 },
  response: z.object({ received: z.boolean() }).openapi('ScanReceived'),
})

export function shippingRoutes(ctx: StorefrontContext) {
  return createRoutes()
    .openapi(getRates, async (c) => {
      const answer = await ctx.shipping.getRates(c.req.valid('json'))
      return c.json({ parcels: answer.parcels.map(rates.toJson) }, 200)
    })
    .openapi(track, async (c) => c.json(tracking.toJson(await ctx.shipping.track(c.req.valid('param'))), 200))
    .openapi(carrierEvent, async (c) => {
      await ctx.shipping.recordCarrierEvent({
        carrier: c.req.valid('param').carrier,
        payload: Buffer.from(c.get('body')),
        // EasyPost's header, or that of the built-in carrier.
        signature: (c.req.header('x-hmac-signature') ?? c.req.header('x-carrier-signature'))?.slice(0, 512) ?? '',
      })
      return c.json({ received: true }, 200)
    })
}
