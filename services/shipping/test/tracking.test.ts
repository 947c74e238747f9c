import { newId } from '@haat/kit/id'
import { ShippingStatusUpdated } from '@haat/proto/shipping/v1/events'
import { ShipmentStatus } from '@haat/proto/shipping/v1/shipping'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { signTimestamped } from '../src/carriers/signature.ts'
import { SECRETS, startHarness } from './harness.ts'

const h = await startHarness({ env: { SIMULATE_SCANS: 'true', SIMULATE_STEP_SECONDS: '3600' } })
const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 10, minutes))
const changes = async (shipmentId: string) =>
  (await h.service.emitted(ShippingStatusUpdated))
    .filter((e) => e.data.shipmentId === shipmentId)
    .map((e) => e.data.status)

test('scans move a parcel from its label to the door, and each change is announced once', async () => {
  const { id, trackingNo, vendorOrderId } = await h.labelled()
  await h.scan(trackingNo, { status: 'in_transit', description: 'Picked up', location: 'Dhaka', occurredAt: at(1) })
  await h.scan(trackingNo, { status: 'in_transit', description: 'Sorting centre', occurredAt: at(2) })
  await h.scan(trackingNo, { status: 'delivered', description: 'Handed over', occurredAt: at(3) })
  const answer = await h.track(trackingNo.toLowerCase())
  expect(answer).toMatchObject({
    trackingNo,
    status: ShipmentStatus.DELIVERED,
    shippedAt: at(1),
    deliveredAt: at(3),
  })
  expect(answer.events.map((e) => e.description)).toEqual([
    'Picked up',
    'Sorting centre',
    'Handed over',
    'Label created',
  ])
  expect(JSON.stringify(answer)).not.toContain('Rahima')
  expect(await changes(id)).toEqual([ShipmentStatus.IN_TRANSIT, ShipmentStatus.DELIVERED])
  const [last] = (await h.service.emitted(ShippingStatusUpdated)).filter((e) => e.data.shipmentId === id).slice(-1)
  expect(last!.data).toMatchObject({ vendorOrderId, trackingNo, description: 'Handed over', occurredAt: at(3) })
})

test('late scans are kept but never move a parcel back', async () => {
  const { id, trackingNo } = await h.labelled()
  await h.scan(trackingNo, { status: 'delivered', occurredAt: at(9) })
  await h.scan(trackingNo, { status: 'in_transit', occurredAt: at(1) })
  await h.scan(trackingNo, { status: 'exception', occurredAt: at(20) })
  expect(await h.track(trackingNo)).toMatchObject({
    status: ShipmentStatus.DELIVERED,
    shippedAt: at(1),
    deliveredAt: at(9),
  })
  expect((await h.track(trackingNo)).events).toHaveLength(4)
  expect(await changes(id)).toEqual([ShipmentStatus.DELIVERED])
})

test('a parcel that got lost can be found again', async () => {
  const { id, trackingNo } = await h.labelled()
  await h.scan(trackingNo, { status: 'exception', occurredAt: at(5) })
  await h.scan(trackingNo, { status: 'in_transit', occurredAt: at(4) })
  await h.scan(trackingNo, { status: 'in_transit', occurredAt: at(6) })
  expect(await changes(id)).toEqual([ShipmentStatus.EXCEPTION, ShipmentStatus.IN_TRANSIT])
})

test('the same notification many times at once counts once', async () => {
  const { id, trackingNo } = await h.labelled()
  const scan = { id: newId(), status: 'in_transit', occurredAt: at(1) }
  const answers = await Promise.all(Array.from({ length: 10 }, () => h.scan(trackingNo, scan)))
  expect(answers.filter((a) => !a.duplicate)).toHaveLength(1)
  expect((await h.track(trackingNo)).events).toHaveLength(2)
  expect(await changes(id)).toEqual([ShipmentStatus.IN_TRANSIT])
})

test('different scans of one parcel at once lose nothing', async () => {
  const { id, trackingNo } = await h.labelled()
  await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      h.scan(trackingNo, { status: i === 7 ? 'delivered' : 'in_transit', occurredAt: at(i) }),
    ),
  )
  expect(await h.track(trackingNo)).toMatchObject({ status: ShipmentStatus.DELIVERED, shippedAt: at(0) })
  expect((await h.track(trackingNo)).events).toHaveLength(13)
  expect((await changes(id)).at(-1)).toBe(ShipmentStatus.DELIVERED)
})

test('only a body signed now with one of the two secrets is believed', async () => {
  const { trackingNo } = await h.labelled()
  const body = (id = newId()) =>
    Buffer.from(JSON.stringify({ id, trackingNo, status: 'in_transit', occurredAt: at(1).toISOString() }))
  const send = (payload: Buffer, signature: string, carrier = 'table') =>
    h.anyone.recordCarrierEvent({ carrier, payload, signature })
  const invalid = { status: 'UNAUTHENTICATED', code: 'webhook_signature_invalid' }
  const payload = body()
  const minutes = (n: number) => new Date(h.now().getTime() + n * 60_000)
  const good = signTimestamped(payload, SECRETS[0]!, h.now())
  for (const signature of [
    'x',
    't=,v1=',
    signTimestamped(payload, 'another secret entirely', h.now()),
    signTimestamped(payload, SECRETS[0]!, minutes(-6)),
    signTimestamped(payload, SECRETS[0]!, minutes(6)),
    good.replace(/v1=../, 'v1=zz'),
    good.replace(/^t=\d+/, `t=${Math.floor(minutes(1).getTime() / 1000)}`),
    good.slice(0, -2),
  ])
    await expect(send(payload, signature)).rejects.toMatchObject(invalid)
  await expect(send(Buffer.concat([payload, Buffer.from(' ')]), good)).rejects.toMatchObject(invalid)
  expect((await h.track(trackingNo)).status).toBe(ShipmentStatus.LABEL_CREATED)

  await send(payload, good)
  const second = body()
  await send(second, signTimestamped(second, SECRETS[1]!, h.now()))
  const third = body()
  const [oldPart, newPart] = SECRETS.map((secret) => signTimestamped(third, secret, h.now()))
  await send(third, `${oldPart!.replace(/v1=.*/, 'v1=00')},${newPart!.split(',')[1]}`)
  await expect(send(payload, good, 'pigeon')).rejects.toMatchObject({ code: 'carrier_unknown' })
})

test('a signed body that is no scan is refused, and one about an unknown parcel can be sent again', async () => {
  const send = (text: string) => {
    const payload = Buffer.from(text)
    const signature = signTimestamped(payload, SECRETS[0]!, h.now())
    return h.anyone.recordCarrierEvent({ carrier: 'table', payload, signature })
  }
  for (const bad of ['no json', '{}', '[]', '{"id":"1","trackingNo":"HT12","status":"eaten","occurredAt":"now"}'])
    await expect(send(bad)).rejects.toMatchObject({ status: 'INVALID_ARGUMENT', code: 'webhook_malformed' })
  const unknown = JSON.stringify({ id: newId(), trackingNo: 'HT-UNKNOWN', status: 'delivered', occurredAt: at(1) })
  await expect(send(unknown)).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'tracking_not_found' })
  await expect(send(unknown)).rejects.toMatchObject({ code: 'tracking_not_found' })
  await expect(h.track('HT-UNKNOWN')).rejects.toMatchObject({ code: 'tracking_not_found' })
})

test('scans are append-only, also for the service itself', async () => {
  await h.labelled()
  for (const statement of [sql`update tracking_events set status = 'delivered'`, sql`delete from tracking_events`])
    await expect(statement.execute(h.service.database.asService)).rejects.toThrow('append-only')
})

test('in development a parcel travels by itself, step by step', async () => {
  const { id, trackingNo } = await h.labelled()
  const step = async () => {
    h.clock.ahead += 3_601_000
    await h.service.service.runJob('simulate-scans')
    await h.service.service.runJob('simulate-scans')
    return (await h.track(trackingNo)).events.length
  }
  expect([await step(), await step(), await step(), await step(), await step()]).toEqual([2, 3, 4, 5, 5])
  expect(await h.track(trackingNo)).toMatchObject({ status: ShipmentStatus.DELIVERED })
  expect(await changes(id)).toEqual([ShipmentStatus.IN_TRANSIT, ShipmentStatus.DELIVERED])
  h.clock.ahead = 0
})
