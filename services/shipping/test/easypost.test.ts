import { ShippingLabelCreated, ShippingStatusUpdated } from '@haat/proto/shipping/v1/events'
import { ShipmentStatus } from '@haat/proto/shipping/v1/shipping'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { startEasyPost } from './easypost-server.ts'
import { SECRETS, startHarness } from './harness.ts'

const easypost = await startEasyPost()
afterAll(() => easypost.close())
const [FIRST, SECOND] = ['first-secret-of-easypost', 'second-secret-of-easypost'] as const
const h = await startHarness({
  keys: {
    easypost: {
      apiKey: 'key',
      baseUrl: easypost.origin,
      webhookSecrets: [FIRST, SECOND],
      services: { standard: 'GroundAdvantage' },
      from: { name: 'Haat', line1: 'Road 1', city: 'Dhaka' },
    },
  },
})
const accepted = (serviceLevel = 'standard') => h.accepted({ carrier: 'easypost', serviceLevel })
const made = (reference: string) => [...easypost.shipments.values()].filter((s) => s.reference === reference)
beforeEach(() => {
  easypost.fault = undefined
  easypost.requests.length = 0
})

test('a label is bought at the carrier under our id, at the service level chosen', async () => {
  const { vendorOrderId } = await accepted()
  const { shipment } = await h.vendor.createLabel({ vendorOrderId })
  const [bought] = made(shipment!.id)
  expect(shipment).toMatchObject({
    carrier: 'easypost',
    trackingNo: bought!.tracking_code,
    labelUrl: bought!.postage_label!.label_pdf_url,
  })
  expect(bought!.body).toMatchObject({
    to_address: { name: 'Rahima Khatun', country: 'BD' },
    from_address: { country: 'BD' },
    parcel: { weight: 30 },
  })
  expect(easypost.requests).toEqual([
    'GET /v2/shipments/<reference>',
    'POST /v2/shipments',
    'POST /v2/shipments/<id>/buy',
  ])
  const { content } = await h.vendor.getLabel({ shipmentId: shipment!.id })
  expect(content.toString()).toBe('%PDF-1.7 a label')
})

test.each(['POST /v2/shipments', '/buy'])(
  'when the answer to %s is lost, a repeat finishes it and buys nothing twice',
  async (lost) => {
    const { vendorOrderId } = await accepted()
    easypost.fault = (request) => (request.endsWith(lost) ? 'lost answer' : undefined)
    await expect(h.vendor.createLabel({ vendorOrderId })).rejects.toMatchObject({
      status: 'UNAVAILABLE',
      code: 'carrier_unavailable',
    })
    easypost.fault = undefined
    const { shipment } = await h.vendor.createLabel({ vendorOrderId })
    expect(made(shipment!.id)).toHaveLength(1)
    const events = (await h.service.emitted(ShippingLabelCreated)).filter((e) => e.data.vendorOrderId === vendorOrderId)
    expect(events).toHaveLength(1)
  },
)

test('several askers at once buy one label', async () => {
  const { vendorOrderId } = await accepted()
  easypost.fault = () => 'slow'
  const answers = await Promise.all(Array.from({ length: 5 }, () => h.vendor.createLabel({ vendorOrderId })))
  expect(new Set(answers.map((a) => a.shipment!.trackingNo)).size).toBe(1)
  expect(easypost.requests.filter((r) => r.startsWith('POST'))).toHaveLength(2)
})

test('a carrier that is down can be asked again; one that refuses says why and frees the parcel for another', async () => {
  const { vendorOrderId } = await accepted()
  easypost.fault = () => 'unavailable'
  await expect(h.vendor.createLabel({ vendorOrderId })).rejects.toMatchObject({ code: 'carrier_unavailable' })
  easypost.fault = (request) => (request.startsWith('POST') ? 'refused' : undefined)
  await expect(h.vendor.createLabel({ vendorOrderId })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'carrier_rejected',
    details: { reason: 'ADDRESS.VERIFY.FAILURE' },
  })
  const { shipment } = await h.vendor.createLabel({ vendorOrderId, carrier: 'table' })
  expect(shipment).toMatchObject({ carrier: 'table', trackingNo: expect.stringMatching(/^HT/) })
})

test('a service level the carrier does not have is refused', async () => {
  const { vendorOrderId } = await accepted('teleport')
  await expect(h.vendor.createLabel({ vendorOrderId })).rejects.toMatchObject({
    code: 'carrier_rejected',
    details: { reason: 'service_level_unavailable' },
  })
  const { shipment } = await h.vendor.createLabel({ vendorOrderId, serviceLevel: 'priority' })
  expect(shipment!.serviceLevel).toBe('priority')
})

test('after a cancellation the bought label is refunded, also one whose answer was lost', async () => {
  const done = await accepted()
  const { shipment } = await h.vendor.createLabel({ vendorOrderId: done.vendorOrderId })
  await h.cancelled(done)

  const cutOff = await accepted()
  easypost.fault = (request) => (request.endsWith('/buy') ? 'lost answer' : undefined)
  await expect(h.vendor.createLabel({ vendorOrderId: cutOff.vendorOrderId })).rejects.toThrow()
  const orphan = [...easypost.shipments.values()].at(-1)!
  await h.cancelled(cutOff)

  easypost.fault = () => 'unavailable'
  await h.service.service.runJob('void-labels')
  expect([made(shipment!.id)[0]!.refund_status, orphan.refund_status]).toEqual([null, null])
  easypost.fault = undefined
  await h.service.service.runJob('void-labels')
  expect([made(shipment!.id)[0]!.refund_status, orphan.refund_status]).toEqual(['submitted', 'submitted'])
  easypost.requests.length = 0
  await h.service.service.runJob('void-labels')
  expect(easypost.requests).toEqual([])
})

test('a vendor order cancelled while the carrier sells leaves no shipment, and the label goes back', async () => {
  const order = await accepted()
  let cancelling: Promise<unknown> | undefined
  easypost.fault = (request) => {
    if (request.endsWith('/buy')) cancelling = h.cancelled(order)
    return 'slow'
  }
  await expect(h.vendor.createLabel({ vendorOrderId: order.vendorOrderId })).rejects.toMatchObject({
    code: 'vendor_order_cancelled',
  })
  await cancelling
  easypost.fault = undefined
  await h.service.service.runJob('void-labels')
  expect([...easypost.shipments.values()].at(-1)).toMatchObject({ refund_status: 'submitted' })
  expect((await h.vendor.listShipments({ orderId: order.orderId })).shipments).toEqual([])
})

test('a tracker event brings its whole history, repeats add only what is new', async () => {
  const { vendorOrderId } = await accepted()
  const { id, trackingNo } = (await h.vendor.createLabel({ vendorOrderId })).shipment!
  const detail = (status: string, minute: number) => ({
    status,
    message: `now ${status}`,
    datetime: `2026-01-01T10:0${minute}:00Z`,
    tracking_location: { city: 'AUSTIN', country: 'US' },
  })
  const details = [detail('pre_transit', 0), detail('in_transit', 1), detail('out_for_delivery', 2)]
  const send = (eventId: string, tracking_details: unknown[], secret: string = FIRST) => {
    const payload = Buffer.from(
      JSON.stringify({
        id: eventId,
        description: 'tracker.updated',
        result: { tracking_code: trackingNo, tracking_details },
      }),
    )
    return h.anyone.recordCarrierEvent({ carrier: 'easypost', payload, signature: easypost.sign(payload, secret) })
  }
  expect(await send('evt_1', details)).toEqual({ duplicate: false })
  expect(await send('evt_1', details)).toEqual({ duplicate: true })
  await send('evt_2', [...details, detail('delivered', 3)], SECOND)
  const answer = await h.track(trackingNo)
  expect(answer.status).toBe(ShipmentStatus.DELIVERED)
  expect(answer.events.filter((e) => e.location === 'AUSTIN, US').map((e) => e.description)).toEqual([
    'now pre_transit',
    'now in_transit',
    'now out_for_delivery',
    'now delivered',
  ])
  const changes = (await h.service.emitted(ShippingStatusUpdated)).filter((e) => e.data.shipmentId === id)
  expect(changes.map((e) => e.data.status)).toEqual([ShipmentStatus.IN_TRANSIT, ShipmentStatus.DELIVERED])
  await expect(send('evt_3', details, SECRETS[0]!)).rejects.toMatchObject({ code: 'webhook_signature_invalid' })
})

test('events about other things are taken and change nothing', async () => {
  const payload = Buffer.from(JSON.stringify({ id: 'evt_batch', description: 'batch.created', result: {} }))
  const send = () =>
    h.anyone.recordCarrierEvent({ carrier: 'easypost', payload, signature: easypost.sign(payload, FIRST) })
  expect(await send()).toEqual({ duplicate: false })
  expect(await send()).toEqual({ duplicate: true })
})

test('a label is fetched from the carrier only, and never a large one', async () => {
  const { vendorOrderId } = await accepted()
  const { id } = (await h.vendor.createLabel({ vendorOrderId })).shipment!
  easypost.label = Buffer.alloc(1024 * 1024 + 1)
  await expect(h.vendor.getLabel({ shipmentId: id })).rejects.toMatchObject({ code: 'carrier_unavailable' })

  const other = await accepted()
  easypost.fault = (request) => {
    if (request.endsWith('/buy'))
      setImmediate(() => {
        const last = [...easypost.shipments.values()].at(-1)!
        last.postage_label = { label_pdf_url: 'http://127.0.0.1:1/label.pdf' }
      })
    return request.endsWith('/buy') ? 'lost answer' : undefined
  }
  await expect(h.vendor.createLabel({ vendorOrderId: other.vendorOrderId })).rejects.toThrow()
  easypost.fault = undefined
  const elsewhere = (await h.vendor.createLabel({ vendorOrderId: other.vendorOrderId })).shipment!
  expect(elsewhere.labelUrl).toBe('http://127.0.0.1:1/label.pdf')
  await expect(h.vendor.getLabel({ shipmentId: elsewhere.id })).rejects.toMatchObject({
    code: 'carrier_unavailable',
    message: expect.stringContaining('not fetched from'),
  })
})
