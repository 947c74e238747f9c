import { newId } from '@haat/kit/id'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { ShippingLabelCreated } from '@haat/proto/shipping/v1/events'
import { ShipmentStatus } from '@haat/proto/shipping/v1/shipping'
import { customer, neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import { sql } from 'kysely'
import { PDFDocument } from 'pdf-lib'
import { expect, test } from 'vitest'
import { isTrackingNumber } from '../src/domain/tracking.ts'
import { shipTo, startHarness } from './harness.ts'

const h = await startHarness()

test('an accepted vendor order gets a label as the customer chose, and it is announced', async () => {
  const order = await h.accepted()
  const { shipment } = await h.vendor.createLabel({ vendorOrderId: order.vendorOrderId })
  expect(shipment).toMatchObject({
    vendorOrderId: order.vendorOrderId,
    orderId: order.orderId,
    vendorId: h.seller.vendorId,
    carrier: 'table',
    serviceLevel: 'express',
    status: ShipmentStatus.LABEL_CREATED,
    weightGrams: 850,
    shipTo,
    labelUrl: '',
  })
  expect(isTrackingNumber(shipment!.trackingNo)).toBe(true)
  expect(shipment!.items.map((i) => [i.sku, i.qty])).toEqual([
    ['CUP-1', 1],
    ['TEA-1', 2],
  ])
  const events = (await h.service.emitted(ShippingLabelCreated)).filter((e) => e.data.shipmentId === shipment!.id)
  expect(events.map((e) => e.data)).toMatchObject([
    { vendorOrderId: order.vendorOrderId, trackingNo: shipment!.trackingNo },
  ])
})

test('the vendor may pack otherwise than ordered', async () => {
  const { vendorOrderId } = await h.accepted()
  const { shipment } = await h.staff.createLabel({ vendorOrderId, weightGrams: 1_200, serviceLevel: 'standard' })
  expect(shipment).toMatchObject({ weightGrams: 1_200, serviceLevel: 'standard' })
})

test('the same request many times at once makes one label', async () => {
  const { vendorOrderId } = await h.accepted()
  const answers = await Promise.all(Array.from({ length: 10 }, () => h.vendor.createLabel({ vendorOrderId })))
  expect(new Set(answers.map((a) => a.shipment!.trackingNo)).size).toBe(1)
  const events = (await h.service.emitted(ShippingLabelCreated)).filter((e) => e.data.vendorOrderId === vendorOrderId)
  expect(events).toHaveLength(1)
  expect((await h.vendor.createLabel({ vendorOrderId, weightGrams: 5 })).shipment!.id).toBe(answers[0]!.shipment!.id)
})

test('an attempt that a crash cut off is taken over when its lease is over', async () => {
  const { vendorOrderId } = await h.accepted()
  const shipmentId = newId()
  await sql`insert into label_attempts (vendor_order_id, shipment_id, carrier, service_level, weight_grams, locked_until)
    values (${vendorOrderId}, ${shipmentId}, 'table', 'express', 850, now() + interval '1 minute')`.execute(
    h.service.database.db,
  )
  h.clock.ahead = 61_000
  const { shipment } = await h.vendor.createLabel({ vendorOrderId })
  h.clock.ahead = 0
  expect(shipment!.id).toBe(shipmentId)
})

test('what is not accepted, and what another vendor has, is not found', async () => {
  const { vendorOrderId } = await h.accepted()
  const missing = { status: 'NOT_FOUND', code: 'vendor_order_not_found' }
  await expect(h.vendor.createLabel({ vendorOrderId: newId() })).rejects.toMatchObject(missing)
  await expect(h.as(await vendorMember()).createLabel({ vendorOrderId })).rejects.toMatchObject(missing)
  await expect(h.vendor.createLabel({ vendorOrderId, carrier: 'pigeon' })).rejects.toMatchObject({
    status: 'INVALID_ARGUMENT',
    code: 'carrier_unknown',
  })
  await expect(h.as(await customer()).createLabel({ vendorOrderId })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})

test('a cancelled vendor order gets no label, whichever event comes first', async () => {
  const cancelled = { status: 'FAILED_PRECONDITION', code: 'vendor_order_cancelled' }
  const before = await h.accepted()
  await h.cancelled(before)
  await expect(h.vendor.createLabel({ vendorOrderId: before.vendorOrderId })).rejects.toMatchObject(cancelled)

  const early = { ...before, vendorOrderId: newId() }
  await h.cancelled(early)
  await h.accepted({ vendorOrderId: early.vendorOrderId })
  await expect(h.vendor.createLabel({ vendorOrderId: early.vendorOrderId })).rejects.toMatchObject(cancelled)
})

test('a label that a cancellation made useless is given back once', async () => {
  const order = await h.accepted()
  const { shipment } = await h.vendor.createLabel({ vendorOrderId: order.vendorOrderId })
  await h.cancelled(order)
  await h.service.service.runJob('void-labels')
  await h.service.service.runJob('void-labels')
  const { rows } = await sql`select voided_at from shipments where id = ${shipment!.id}`.execute(h.service.database.db)
  expect(rows).toMatchObject([{ voided_at: expect.any(Date) }])
})

test('the label is one printable page, and Bengali addresses print', async () => {
  const plain = await h.labelled()
  const bengali = await h.labelled({
    shipTo: { ...shipTo, name: 'রহিমা খাতুন', line1: 'বাড়ি ৭, মিরপুর ক্ষেত্র', city: 'ঢাকা 🎁' },
  })
  for (const { id } of [plain, bengali]) {
    const { contentType, content } = await h.vendor.getLabel({ shipmentId: id })
    expect(contentType).toBe('application/pdf')
    const document = await PDFDocument.load(content)
    expect(document.getPageCount()).toBe(1)
    expect(document.getPage(0).getSize()).toEqual({ width: 288, height: 432 })
    expect(content.length).toBeLessThan(200_000)
  }
})

test('a shipment is its vendor’s, the staff’s and services’; to others it does not exist', async () => {
  const { id, vendorOrderId } = await h.labelled()
  const key = { $case: 'shipmentId' as const, value: id }
  const missing = { status: 'NOT_FOUND', code: 'shipment_not_found' }
  for (const who of [h.vendor, h.staff, h.order]) {
    const { shipment } = await who.getShipment({ key })
    expect(shipment).toMatchObject({ id, shipTo, events: [{ status: ShipmentStatus.LABEL_CREATED }] })
  }
  expect((await h.order.getShipment({ key: { $case: 'vendorOrderId', value: vendorOrderId } })).shipment!.id).toBe(id)
  const stranger = h.as(await vendorMember())
  await expect(stranger.getShipment({ key })).rejects.toMatchObject(missing)
  await expect(stranger.getLabel({ shipmentId: id })).rejects.toMatchObject(missing)
  await expect(h.vendor.getShipment({ key: { ...key, value: newId() } })).rejects.toMatchObject(missing)
  // A service that speaks for a person lends that person nothing.
  const forCustomer = h.as({ ...(await customer()), ...(await neighbour('storefront')) })
  await expect(forCustomer.getShipment({ key })).rejects.toMatchObject(missing)
  const clerk = await vendorMember(h.seller.vendorId, ['catalog.read'])
  await expect(h.as({ ...clerk, ...(await neighbour('bff')) }).getShipment({ key })).rejects.toMatchObject(missing)
})

test('lists are newest first, by pages, and a vendor sees only its own', async () => {
  const seller = await vendorMember()
  const made: string[] = []
  for (let i = 0; i < 3; i++) {
    const { vendorOrderId } = await h.accepted({ vendorId: seller.vendorId })
    made.unshift((await h.as(seller).createLabel({ vendorOrderId })).shipment!.id)
  }
  const first = await h.as(seller).listShipments({ pageSize: 2 })
  const second = await h.as(seller).listShipments({ pageSize: 2, pageToken: first.nextPageToken })
  expect([...first.shipments, ...second.shipments].map((s) => s.id)).toEqual(made)
  expect(first.shipments[0]!.items).toHaveLength(2)
  expect((await h.as(seller).listShipments({ status: ShipmentStatus.DELIVERED })).shipments).toEqual([])
  const all = await h.as(await staff('shipping.read')).listShipments({ orderId: first.shipments[0]!.orderId })
  expect(all.shipments.map((s) => s.id)).toEqual([made[0]])
  await expect(h.vendor.listShipments({ vendorId: seller.vendorId })).rejects.toMatchObject({
    code: 'vendor_not_found',
  })
})

test('a forgotten person leaves no address behind, also not by an event that comes late', async () => {
  const order = await h.accepted()
  const open = await h.accepted({ userId: order.userId })
  const { shipment } = await h.vendor.createLabel({ vendorOrderId: order.vendorOrderId })
  await h.service.publish(UserForgotten, { userId: order.userId, forgottenAt: new Date() })
  const late = await h.accepted({ userId: order.userId })
  const { rows } = await sql`
    select ship_to::text from vendor_orders where user_id = ${order.userId}
    union all select ship_to::text from shipments where id = ${shipment!.id}`.execute(h.service.database.db)
  expect(rows).toEqual([{ ship_to: null }, { ship_to: null }, { ship_to: null }, { ship_to: null }])
  for (const { vendorOrderId } of [open, late])
    await expect(h.vendor.createLabel({ vendorOrderId })).rejects.toMatchObject({
      code: 'carrier_rejected',
      details: { reason: 'address_missing' },
    })
  expect((await h.vendor.getLabel({ shipmentId: shipment!.id })).contentType).toBe('application/pdf')
})

test('a repeated acceptance changes nothing', async () => {
  const order = await h.accepted()
  await h.service.publishRaw(order.envelope)
  await h.accepted({ vendorOrderId: order.vendorOrderId, serviceLevel: 'other' })
  const { shipment } = await h.vendor.createLabel({ vendorOrderId: order.vendorOrderId })
  expect(shipment!.serviceLevel).toBe('express')
})
