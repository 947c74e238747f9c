import { newId } from '@haat/kit/id'
import { OrderPaid, OrderRefunded } from '@haat/proto/order/v1/events'
import { EarningStatus, EarningType } from '@haat/proto/vendor/v1/vendor'
import { vendorMember } from '@haat/testkit/tokens'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { bdt, DAY_MS, defaultRule, refundOrder, soldOrder, startHarness } from './harness.ts'

const h = await startHarness()

test('a paid order earns its vendor one row per line and one for delivery, as frozen at the sale', async () => {
  const { client, vendorId } = await h.active()
  const { rules, version } = await h.setRules(defaultRule())
  const line = { net: 900, commission: 100, ruleId: rules[0]!.id, ruleVersion: version }
  const { orderId, vendorOrderId, sold } = await h.paid(vendorId, [line, { net: 40, commission: 10 }], { delivery: 60 })
  const { earnings } = await client.listEarnings({ orderId })
  const byItem = new Map(earnings.map((earning) => [earning.orderItemId, earning]))
  expect(earnings).toHaveLength(3)
  expect(byItem.get(sold.lines[0]!.orderItemId)).toMatchObject({
    type: EarningType.SALE,
    status: EarningStatus.PENDING,
    vendorOrderId,
    orderNo: 'HAAT-1',
    gross: bdt(1_000),
    commission: bdt(100),
    fees: bdt(0),
    net: bdt(900),
    ruleId: rules[0]!.id,
    ruleVersion: version,
    eligibleAt: undefined,
    payoutId: undefined,
  })
  expect(byItem.get(undefined)).toMatchObject({ gross: bdt(60), commission: bdt(0), net: bdt(60) })
  expect(await h.balance(client, vendorId)).toEqual({ pending: 1_000n, available: 0n, inPayout: 0n, paid: 0n })
})

test('an event that comes again, even under another id, earns nothing twice', async () => {
  const { client, vendorId } = await h.active()
  const order = soldOrder(vendorId, [{ net: 500 }], { delivery: 20 })
  const envelope = await h.publish(OrderPaid, order)
  await h.publishRaw(envelope)
  await h.publish(OrderPaid, order)
  const sale = { orderId: order.orderId, vendorOrderId: order.vendorOrders[0]!.vendorOrderId }
  const refund = refundOrder(vendorId, sale, [{ net: 100, itemId: order.vendorOrders[0]!.lines[0]!.orderItemId }])
  await Promise.all([h.publish(OrderRefunded, refund), h.publish(OrderRefunded, refund)])
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 420n })
  expect((await client.listEarnings({ orderId: order.orderId })).earnings).toHaveLength(3)
})

test('numbers that contradict each other book nothing of the order', async () => {
  const { client, vendorId } = await h.active()
  const order = soldOrder(vendorId, [{ net: 500 }])
  order.vendorOrders[0]!.vendorNet = bdt(501)
  await h.publish(OrderPaid, order)
  expect((await client.listEarnings({ orderId: order.orderId })).earnings).toEqual([])
})

test('an earning counts when its delivery’s return window is over, and not a moment before', async () => {
  const { client, vendorId } = await h.active()
  const sale = await h.paid(vendorId, [{ net: 700 }])
  await h.service.service.runJob('make-earnings-eligible')
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 700n, available: 0n })
  const at = new Date()
  await h.delivered(vendorId, sale, at)
  await h.delivered(vendorId, sale, new Date(at.getTime() + 5 * DAY_MS))
  const { earnings } = await client.listEarnings({ orderId: sale.orderId })
  expect(earnings[0]).toMatchObject({ status: EarningStatus.PENDING, eligibleAt: new Date(at.getTime() + 14 * DAY_MS) })
  h.pass(13.9 * DAY_MS)
  await h.service.service.runJob('make-earnings-eligible')
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 700n, available: 0n })
  h.pass(0.2 * DAY_MS)
  await h.service.service.runJob('make-earnings-eligible')
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 0n, available: 700n })
})

test('more sales than one pass takes become eligible in one run', async () => {
  const { client, vendorId } = await h.active()
  const orderId = newId()
  await sql`
    with sales as (
      insert into vendor_order_sales (vendor_order_id, vendor_id, order_id, order_no, net, currency, delivered_at, eligible_at)
      select gen_random_uuid(), ${vendorId}::uuid, ${orderId}::uuid, 'HAAT-2', 2, 'BDT', now(), now() - interval '1 day'
        from generate_series(1, 450)
      returning *
    )
    insert into vendor_earnings (id, vendor_id, type, status, order_id, vendor_order_id, reference, gross, commission, net, currency)
    select ('00000000' || substr(gen_random_uuid()::text, 9))::uuid, vendor_id, 'sale', 'pending', order_id, vendor_order_id, order_id, 2, 0, 2, 'BDT'
      from sales`.execute(h.db)
  await Promise.all([
    h.service.service.runJob('make-earnings-eligible'),
    h.service.service.runJob('make-earnings-eligible'),
  ])
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 0n, available: 900n })
})

test('a refund before the window is over waits with its sale, so the balance never dips below what is due', async () => {
  const { client, vendorId } = await h.active()
  const { rules, version } = await h.setRules(defaultRule())
  const itemId = newId()
  const frozen = { ruleId: rules[0]!.id, ruleVersion: version }
  const sale = await h.paid(vendorId, [{ itemId, net: 900, commission: 100, ...frozen }, { net: 50 }])
  await h.refunded(vendorId, sale, [{ itemId, net: 450, commission: 50 }])
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 500n, available: 0n })
  const { earnings } = await client.listEarnings({ orderId: sale.orderId, type: EarningType.REFUND })
  expect(earnings).toMatchObject([
    { status: EarningStatus.PENDING, gross: bdt(-500), commission: bdt(-50), net: bdt(-450), ...frozen },
  ])
  await h.delivered(vendorId, sale, new Date(Date.now() - 100 * DAY_MS))
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 0n, available: 500n })
})

test('a refund after the window comes off the balance at once', async () => {
  const { client, vendorId } = await h.active()
  const sale = await h.paid(vendorId, [{ net: 300 }])
  await h.delivered(vendorId, sale, new Date(0))
  await h.refunded(vendorId, sale, [{ itemId: sale.sold.lines[0]!.orderItemId, net: 120 }])
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 0n, available: 180n })
})

test('what is turned back whole before delivery waits for nothing', async () => {
  const { client, vendorId } = await h.active()
  const sale = await h.paid(vendorId, [{ net: 300 }], { delivery: 40 })
  await h.refunded(vendorId, sale, [{ itemId: sale.sold.lines[0]!.orderItemId, net: 300 }], 40)
  const { earnings } = await client.listEarnings({ orderId: sale.orderId })
  expect(new Set(earnings.map((earning) => earning.status))).toEqual(new Set([EarningStatus.ELIGIBLE]))
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 0n, available: 0n })
})

test('paid, delivered and refunded may come in any order and at once: the end is the same', async () => {
  const { client, vendorId } = await h.active()
  const run = async (order: number[]) => {
    const paid = soldOrder(vendorId, [{ net: 100, commission: 7, ruleId: newId(), ruleVersion: 4n }, { net: 10 }])
    const sale = { orderId: paid.orderId, vendorOrderId: paid.vendorOrders[0]!.vendorOrderId }
    const itemId = paid.vendorOrders[0]!.lines[0]!.orderItemId
    const steps = [
      () => h.publish(OrderPaid, paid),
      () => h.delivered(vendorId, sale, new Date(Date.now() - 100 * DAY_MS)),
      () => h.refunded(vendorId, sale, [{ itemId, net: 60, commission: 4 }]),
    ]
    if (order.length) for (const step of order) await steps[step]!()
    else await Promise.all(steps.map((step) => step()))
    const { earnings } = await client.listEarnings({ orderId: sale.orderId })
    const rule = paid.vendorOrders[0]!.lines[0]!.commissionRuleId
    return earnings
      .map(
        (e) =>
          `${e.type} ${e.status} ${e.net!.minor} ${e.ruleId === rule} ${e.ruleVersion} ${e.eligibleAt !== undefined}`,
      )
      .toSorted()
  }
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [], []]
  const ends = []
  for (const order of orders) ends.push(await run(order))
  for (const end of ends) expect(end).toEqual(ends[0])
  expect(ends[0]).toHaveLength(3)
  expect(await h.balance(client, vendorId)).toMatchObject({ pending: 0n, available: BigInt(50 * orders.length) })
})

test('earnings are listed page by page and by filter; only their vendor, staff and services see them', async () => {
  const [{ client, vendorId }, other] = [await h.active(), await h.active()]
  const sale = await h.earned(vendorId, 10)
  await h.paid(vendorId, [{ net: 1 }, { net: 2 }])
  await h.paid(other.vendorId, [{ net: 5 }])
  const first = await client.listEarnings({ pageSize: 2 })
  const rest = await client.listEarnings({ pageSize: 2, pageToken: first.nextPageToken })
  const all = [...first.earnings, ...rest.earnings]
  expect(all.map((e) => e.vendorId)).toEqual([vendorId, vendorId, vendorId])
  expect(all.map((e) => e.id)).toEqual(
    all
      .map((e) => e.id)
      .toSorted()
      .reverse(),
  )
  expect((await client.listEarnings({ status: EarningStatus.ELIGIBLE })).earnings).toMatchObject([
    { orderId: sale.orderId },
  ])
  expect((await client.listEarnings({ from: new Date(Date.now() + DAY_MS) })).earnings).toEqual([])
  await expect(client.listEarnings({ vendorId: other.vendorId })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'vendor_not_found',
  })
  const clerk = h.as(await vendorMember(vendorId, ['orders.read']))
  await expect(clerk.listEarnings({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(client.getBalance({ vendorId: other.vendorId })).rejects.toMatchObject({ code: 'vendor_not_found' })
  await expect(h.approver.getBalance({ vendorId: newId() })).rejects.toMatchObject({ code: 'vendor_not_found' })
  const everybody = await h.approver.listEarnings({ pageSize: 100, type: EarningType.SALE })
  expect(new Set(everybody.earnings.map((e) => e.vendorId))).toContain(other.vendorId)
  expect((await h.order.listEarnings({ vendorId })).earnings).toHaveLength(3)
})

test('the money of a row cannot be changed, nor the row removed', async () => {
  const { vendorId } = await h.active()
  await h.paid(vendorId, [{ net: 10 }])
  await expect(h.db.updateTable('vendor_earnings').set({ net: 11n, gross: 11n }).execute()).rejects.toThrow(
    'does not change',
  )
  await expect(h.db.deleteFrom('vendor_earnings').execute()).rejects.toThrow('are kept')
})
