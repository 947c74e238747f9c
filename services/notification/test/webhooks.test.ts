import { createHmac } from 'node:crypto'
import { newId } from '@haat/kit/id'
import { OrderPaid, VendorOrderShipped } from '@haat/proto/order/v1/events'
import { customer, staff, vendorMember } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { createOutbound } from '../src/outbound.ts'
import { startHarness } from './harness.ts'
import { startHttpServer } from './http-server.ts'

const h = await startHarness({ overrides: { outbound: createOutbound({ allowPrivate: true }) } })
const strict = createOutbound({
  allowPrivate: false,
  lookup: (host, options, callback) => {
    const address = { 'inside.example.com': '10.1.2.3', 'both.example.com': '10.1.2.3' }[host] ?? '93.184.216.34'
    const found = [{ address, family: 4 }]
    if (host === 'both.example.com') found.unshift({ address: '93.184.216.34', family: 4 })
    if (host === 'absent.example.com') return callback(new Error('ENOTFOUND'), '')
    return options.all ? callback(null, found) : callback(null, address, 4)
  },
})
const endpoint = await startHttpServer()
const shipped = (vendorId: string) =>
  VendorOrderShipped.fromPartial({
    vendorOrderId: newId(),
    vendorId,
    orderId: newId(),
    orderNo: 'HT-1',
    userId: newId(),
    email: 'secret@mail.test',
    shipTo: { name: 'Secret Name', line1: 'Secret Road 1', city: 'Dhaka', country: 'BD' },
    trackingNo: 'TRK',
    shippedAt: new Date(),
  })
const SHIPPED = 'vendor_order.shipped'

async function webhookOf(eventTypes = [SHIPPED]) {
  const owner = await vendorMember()
  const client = h.as(owner)
  const url = `${endpoint.url}/hook/${owner.vendorId}`
  const created = await client.createWebhook({ vendorId: owner.vendorId, url, eventTypes })
  const calls = () => endpoint.received.filter((r) => r.path === `/hook/${owner.vendorId}`)
  const stored = async () => (await client.listWebhooks({ vendorId: owner.vendorId })).webhooks[0]!
  return { ...owner, client, webhook: created.webhook!, secret: created.secret, calls, stored }
}

test('a vendor gets its events, signed, and without personal data', async () => {
  const hook = await webhookOf()
  const other = await webhookOf()
  const envelope = await h.happen(VendorOrderShipped, shipped(hook.vendorId))
  const [call] = hook.calls()
  expect(hook.calls()).toHaveLength(1)
  expect(other.calls()).toHaveLength(0)
  const body = call!.body.toString()
  expect(JSON.parse(body)).toMatchObject({
    id: envelope.eventId,
    type: SHIPPED,
    vendorId: hook.vendorId,
    data: { orderNo: 'HT-1', trackingNo: 'TRK' },
  })
  expect(body).not.toMatch(/secret/i)
  expect(call?.headers).toMatchObject({ 'haat-event': SHIPPED, 'haat-delivery': envelope.eventId })
  const [, t, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(call?.headers['haat-signature']))!
  expect(createHmac('sha256', hook.secret).update(`${t}.${body}`).digest('hex')).toBe(signature)
  expect(await hook.stored()).toMatchObject({ failures: 0, lastSuccessAt: expect.any(Date) })
  // The secret is shown once, and not kept as it is.
  expect(await h.dump('webhooks_out')).not.toContain(hook.secret)
})

test('of an order of several vendors each gets its own part only', async () => {
  const [a, b] = [await webhookOf(['order.paid']), await webhookOf(['order.paid'])]
  const part = (vendorId: string, title: string) => ({ vendorOrderId: newId(), vendorId, lines: [{ title, qty: 1 }] })
  await h.happen(
    OrderPaid,
    OrderPaid.fromPartial({
      orderId: newId(),
      orderNo: 'HT-2',
      userId: newId(),
      email: 'secret@mail.test',
      vendorOrders: [part(a.vendorId, 'Tea'), part(b.vendorId, 'Saree')],
      amounts: {},
    }),
  )
  const [call] = a.calls()
  expect(JSON.parse(call!.body.toString()).data.vendorOrder.lines).toMatchObject([{ title: 'Tea' }])
  expect(call?.body.toString()).not.toMatch(/Saree|secret@/)
  expect(b.calls()).toHaveLength(1)
})

test('a delivery that fails comes again later under the same id, and a repeated event does not', async () => {
  const hook = await webhookOf()
  endpoint.answer({ status: 500 }, { status: 302, headers: { location: 'http://127.0.0.1:1/' } })
  const envelope = await h.happen(VendorOrderShipped, shipped(hook.vendorId))
  expect(await hook.stored()).toMatchObject({ failures: 1, lastSuccessAt: undefined })
  await h.work()
  expect(hook.calls()).toHaveLength(1)
  h.pass(15)
  await h.work()
  expect(await hook.stored()).toMatchObject({ failures: 2 })
  h.pass(120)
  await h.work()
  expect(hook.calls()).toHaveLength(3)
  expect(new Set(hook.calls().map((c) => c.headers['haat-delivery']))).toEqual(new Set([envelope.eventId]))
  expect(await hook.stored()).toMatchObject({ failures: 0 })
  await h.database.db.deleteFrom('inbox' as never).execute()
  await h.publishRaw(envelope)
  await h.work()
  expect(hook.calls()).toHaveLength(3)
})

test('a delivery whose outcome cannot be noted at once is noted later, and counted once', async () => {
  const hook = await webhookOf()
  endpoint.answer({ status: 500 })
  await h.trouble('webhook_deliveries', 1)
  await h.happen(VendorOrderShipped, shipped(hook.vendorId))
  expect(hook.calls()).toHaveLength(1)
  expect(await hook.stored()).toMatchObject({ failures: 1 })
})

test('an endpoint that has failed fifty times gets nothing more', async () => {
  const hook = await webhookOf()
  await h.database.db
    .updateTable('webhooks_out' as never)
    .set({ failures: 50 } as never)
    .where('id' as never, '=', hook.webhook.id as never)
    .execute()
  await h.happen(VendorOrderShipped, shipped(hook.vendorId))
  expect(hook.calls()).toHaveLength(0)
})

test('deleting a webhook drops what waits for it', async () => {
  const hook = await webhookOf()
  endpoint.answer({ status: 500 })
  await h.happen(VendorOrderShipped, shipped(hook.vendorId))
  await hook.client.deleteWebhook({ vendorId: hook.vendorId, webhookId: hook.webhook.id })
  h.pass(60)
  await h.work()
  expect(hook.calls()).toHaveLength(1)
  await expect(
    hook.client.deleteWebhook({ vendorId: hook.vendorId, webhookId: hook.webhook.id }),
  ).rejects.toMatchObject({ status: 'NOT_FOUND', code: 'webhook_not_found' })
})

test('a vendor has ten webhooks at most, even when they are made at once', async () => {
  const owner = await vendorMember()
  const make = () => h.as(owner).createWebhook({ vendorId: owner.vendorId, url: endpoint.url, eventTypes: [SHIPPED] })
  const results = await Promise.allSettled(Array.from({ length: 13 }, make))
  expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(10)
  await expect(make()).rejects.toMatchObject({ status: 'FAILED_PRECONDITION', code: 'webhook_limit_reached' })
})

test("another vendor's webhooks answer like none, and a clerk sees none", async () => {
  const hook = await webhookOf()
  const { vendorId, webhook } = hook
  const stranger = await vendorMember()
  const foreign = h.as(stranger)
  await expect(foreign.listWebhooks({ vendorId })).rejects.toMatchObject({ status: 'NOT_FOUND' })
  for (const webhookId of [webhook.id, newId()])
    await expect(foreign.deleteWebhook({ vendorId: stranger.vendorId, webhookId })).rejects.toMatchObject({
      status: 'NOT_FOUND',
      code: 'webhook_not_found',
    })
  const clerk = h.as(await vendorMember(vendorId, ['orders.read']))
  await expect(clerk.listWebhooks({ vendorId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.as(await customer()).listWebhooks({ vendorId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  const support = h.as(await staff('vendors.read'))
  expect((await support.listWebhooks({ vendorId })).webhooks.map((w) => w.id)).toEqual([webhook.id])
  await expect(
    foreign.createWebhook({ vendorId: stranger.vendorId, url: endpoint.url, eventTypes: ['user.created'] }),
  ).rejects.toMatchObject({ code: 'webhook_event_unknown', details: { eventTypes: ['user.created'] } })
})

test('nothing inside our network is reached by an address that somebody else wrote', async () => {
  const forbidden = [
    'http://example.com/hook',
    'https://127.0.0.1/hook',
    'https://0x7f.1/hook',
    'https://2130706433/hook',
    'https://[::1]/hook',
    'https://[::ffff:10.0.0.1]/hook',
    'https://[fd00::1]/hook',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/hook',
    'https://inventory/hook',
    'https://inventory.haat.svc.cluster.local/hook',
    'https://user:pass@example.com/hook',
    'https://inside.example.com/hook',
    'https://both.example.com/hook',
    'nonsense',
  ]
  for (const url of forbidden) {
    expect([url, await strict.allows(url)]).toEqual([url, false])
    await expect(strict.post(url, { headers: {}, body: '', timeoutMs: 2_000 })).rejects.toMatchObject({
      name: 'ForbiddenAddress',
    })
  }
  expect(await strict.allows('https://example.com/hook')).toBe(true)
  expect(await strict.allows('https://absent.example.com/hook')).toBe(true)
})
