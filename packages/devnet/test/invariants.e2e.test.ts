import { ok } from '@haat/client'
import { connectBroker, disconnectBroker } from '@haat/kit/events/broker'
import { createLog } from '@haat/kit/log'
import { openMongo } from '@haat/kit/mongo'
import { openPostgres, sql, withDatabase } from '@haat/kit/postgres'
import { eventually } from '@haat/testkit/eventually'
import { beforeAll, expect, test } from 'vitest'
import { pay, placeOrder } from '../src/actors.ts'
import { countOrders, findAnomalies } from '../src/drills/invariants.ts'
import { openMarket, take } from '../src/drills/market.ts'
import { startTestDevnet } from './devnet.ts'

// Set back before anything is tampered with, so that order's recovery does not repair it meanwhile.
let behindMs = 0
const devnet = await startTestDevnet({}, { order: { now: () => new Date(Date.now() - behindMs) } })
const market = await openMarket(devnet)
/** Ids of the four orders. */
const of: Record<string, string> = {}

beforeAll(async () => {
  await market.shelve(market.leaf, 'TEA', 33_333, 100)
  await market.shelve(market.cup, 'MUG', 45_050, 100)
  await ok(
    market.admin.POST('/v1/admin/coupons', {
      body: { code: 'TEN', type: 'percent', percentBps: 1000, fundedBy: 'platform', perUserLimit: 1, isActive: true },
    }),
  )
  for (const story of ['sold', 'regretted', 'cancelled', 'payable']) {
    const buyer = await market.customer()
    await take(buyer, 'TEA', 2)
    await take(buyer, 'MUG', 1)
    await ok(buyer.shop.POST('/v1/cart/apply-coupon', { body: { code: 'TEN' } }))
    const { order, payment } = await placeOrder(buyer)
    of[story] = order.id
    if (story === 'sold' || story === 'regretted') await pay(devnet, payment!)
    else await pay(devnet, payment!, 'decline')
    await devnet.settle()
    if (story === 'regretted' || story === 'cancelled')
      await ok(
        buyer.shop.POST('/v1/orders/{orderNo}/cancel', {
          params: { path: { orderNo: order.orderNo } },
          body: { reason: 'customer_request', note: '' },
        }),
      )
    await devnet.settle()
  }
})

test('a marketplace at rest shows no anomaly, whatever became of its orders', async () => {
  await eventually(async () => expect(await findAnomalies(devnet)).toEqual([]))
  expect(await countOrders(devnet)).toEqual({
    paid: 1,
    'paid, cancelled and refunded': 1,
    cancelled: 1,
    payable: 1,
  })
})

/** Changes a database as no service can: without its guards. */
const tamper = async (service: string, statement: string) => {
  behindMs = 24 * 3_600_000
  const url = withDatabase(devnet.stores.urls.postgres, `${devnet.prefix}_haat_${service}`)
  const { db, close } = openPostgres<never>({ url, poolSize: 1, name: 'tamper', log: createLog('tamper', 'silent') })
  const { numAffectedRows } = await db.connection().execute(async (connection) => {
    await sql`set session_replication_role = replica`.execute(connection)
    return sql.raw(statement).execute(connection)
  })
  await close()
  expect(numAffectedRows).toBeGreaterThan(0n)
}

// One row each, and what must be said about it; later cases come on top of earlier ones.
test.each<[about: string, service: string, statement: () => string, sentence: RegExp]>([
  [
    'an undone checkout that stands still',
    'order',
    () => `update checkouts set state = 'cancelling' where order_id = '${of.cancelled}'`,
    /stands still: its checkout is cancelling/,
  ],
  [
    'a payable order whose time is over',
    'order',
    () => `update orders set pay_by = now() - interval '1 hour' where id = '${of.payable}'`,
    /payable although its time is over/,
  ],
  [
    'a second "paid" in the story of an order',
    'order',
    () => `insert into order_timeline (id, order_id, event, at)
           values (gen_random_uuid(), '${of.sold}', 'paid', now())`,
    /tells 2 times that it was paid/,
  ],
  [
    'a refund that never reached the customer',
    'order',
    () => `update refunds set state = 'accepted' where order_id = '${of.regretted}'`,
    /has refund .* which is accepted/,
  ],
  [
    'a paid order without committed stock',
    'inventory',
    () => `update reservations set state = 'released' where order_id = '${of.sold}' and sku = 'TEA'`,
    /is paid, and its reservation of TEA is released/,
  ],
  [
    'goods sold twice for one order',
    'inventory',
    () => `insert into stock_movements (id, sku, vendor_id, kind, delta, on_hand_after, reference)
           select gen_random_uuid(), sku, vendor_id, kind, delta, on_hand_after, reference from stock_movements
            where reference = '${of.sold}' and sku = 'MUG'`,
    /took 2 of MUG off the shelf in 2 sales instead of 1 in one/,
  ],
  [
    'goods of a cancelled order that never came back',
    'inventory',
    () => `delete from stock_movements where kind = 'restock' and sku = 'MUG'`,
    /put 0 of MUG back on the shelf instead of 1/,
  ],
  [
    'a hold left over',
    'inventory',
    () => `insert into reservations (order_id, sku, qty, state, expires_at)
           values (gen_random_uuid(), 'TEA', 1, 'held', now() + interval '1 hour')`,
    /TEA is held for .* which is no order of it/,
  ],
  [
    'a coupon use left over',
    'promotion',
    () => `update coupon_usages set state = 'redeemed' where order_id = '${of.regretted}'`,
    /is paid, and its coupon is redeemed/,
  ],
  [
    'a coupon that counts wrongly',
    'promotion',
    () => `update coupons set redeemed_count = redeemed_count + 5`,
    /coupon TEN counts 1 held and 6 redeemed/,
  ],
  [
    'a paid order whose payment does not know of it',
    'payment',
    () => `update payments set status = 'requires_payment' where order_id = '${of.sold}'`,
    /charge .* was made, and the payment of order .* is requires_payment/,
  ],
  [
    'a ledger that sums to a cent',
    'payment',
    () => `update ledger_postings set amount = amount + 1 where id = (
             select id from ledger_postings where order_id = '${of.sold}' and account = 'provider_clearing:stripe' limit 1)`,
    /the ledger sums to 1 BDT/,
  ],
  [
    'a vendor that is owed another amount than it earned',
    'vendor',
    () => `update vendor_earnings set net = net - 1, gross = gross - 1 where id = (
             select id from vendor_earnings where order_id = '${of.sold}' and type = 'sale' limit 1)`,
    /vendor order .* earned .*, the ledger owes/,
  ],
  [
    'a line that was earned twice',
    'vendor',
    () => `insert into vendor_earnings
           select (jsonb_populate_record(e, '{"id": "00000000-0000-7000-8000-000000000000", "reference": "00000000-0000-7000-8000-000000000000"}')).*
             from vendor_earnings e where order_id = '${of.sold}' and type = 'sale' and order_item_id is not null limit 1`,
    /has 3 earnings of 1 lines/,
  ],
  [
    'a mail that went twice',
    'notification',
    () => `insert into messages
           select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'event_id', gen_random_uuid(), 'dedupe_key', null))).*
             from messages m where template_key = 'order_paid' limit 1`,
    /order_paid of order .* went 2 times/,
  ],
  [
    'a vendor that was not told of its order',
    'notification',
    () => `delete from messages where template_key = 'vendor_order_new'`,
    /nobody was sent vendor_order_new/,
  ],
])('%s is found', async (_about, service, statement, sentence) => {
  await tamper(service, statement())
  expect(await findAnomalies(devnet)).toContainEqual(expect.stringMatching(sentence))
})

test('money at the provider that the ledger has not, and a charge without an order, are found', async () => {
  const more = devnet.stripe.state()
  const charge = more.charges.find(({ paid }) => paid)!
  more.charges.push({ ...charge, id: 'ch_unknown', payment_intent: 'pi_unknown', metadata: {} })
  more.balance.platform.bdt! += 100
  const anomalies = await findAnomalies({ ...devnet, stripe: { state: () => more } })
  expect(anomalies).toContainEqual(expect.stringMatching(/the ledger has \d+ bdt at the provider, the provider/))
  expect(anomalies).toContainEqual(expect.stringMatching(/charge ch_unknown of \d+ belongs to no payment/))
})

test('events that wait, in a document or in the dead letters, and a cart that missed its order, are found', async () => {
  const { urls } = devnet.stores
  const mongo = await openMongo({ url: urls.mongo, database: `${devnet.prefix}_haat_cart`, name: 'tamper' })
  const carts = mongo.db.collection('carts')
  // Leased, so that the relay leaves it alone.
  const pendingLeaseUntil = new Date(Date.now() + 60_000)
  const update = { $set: { pendingEvents: [{ eventId: 'x' }], pendingLeaseUntil, orders: [] } }
  expect((await carts.updateOne({ orders: of.sold as never }, update)).matchedCount).toBe(1)
  const broker = connectBroker({ url: urls.rabbitmq, name: 'tamper', log: createLog('tamper', 'silent') })
  const publisher = broker.createPublisher({ confirm: true })
  await publisher.send({ routingKey: `${devnet.prefix}.vendor.order.paid.dead` }, 'a letter')
  const anomalies = await findAnomalies(devnet)
  await carts.updateOne({ 'pendingEvents.eventId': 'x' }, { $unset: { pendingEvents: '', pendingLeaseUntil: '' } })
  await mongo.close()
  await publisher.close()
  await disconnectBroker(broker)
  expect(anomalies).toContain('cart has 1 unpublished events')
  expect(anomalies).toContain('1 events were given up by vendor.order.paid')
  expect(anomalies).toContainEqual(expect.stringMatching(/its cart has not heard of it/))
})
