import { newId } from '@haat/kit/id'
import {
  type OrderServiceClient,
  OrderServiceDefinition,
  PaymentProvider,
  type PlaceOrderRequest,
} from '@haat/proto/order/v1/order'
import { type PaymentFailed, PaymentSucceeded } from '@haat/proto/payment/v1/events'
import { startTestService } from '@haat/testkit/service'
import { customer, type Identity, neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import type { Kysely } from 'kysely'
import { loadConfig } from '../src/config.ts'
import type { OrderContext } from '../src/context.ts'
import type { Database } from '../src/db/schema.ts'
import { startOrder } from '../src/service.ts'
import { type CartSpec, cartOf, OPTION, taka } from './cart.ts'
import { startNeighbours } from './neighbours.ts'

const ADDRESS = {
  name: 'Rahima Khatun',
  line1: '12 Green Road',
  line2: '',
  city: 'Dhaka',
  state: 'Dhaka',
  postalCode: '1205',
  country: 'BD',
  phone: '+8801711000000',
}

/** Order on its own database, between neighbours that remember, with a clock the test moves. */
export async function startHarness(overrides: Partial<OrderContext> = {}, env: Record<string, string> = {}) {
  const world = startNeighbours()
  const clock = { aheadMs: 0 }
  const service = await startTestService({
    name: 'order',
    load: loadConfig,
    start: startOrder,
    migrations: new URL('../migrations/', import.meta.url),
    overrides: {
      ...world.clients,
      now: () => new Date(Date.now() + clock.aheadMs),
      ...overrides,
    } as Partial<OrderContext>,
    env: { TAX_RATES_JSON: '{"BD":{"standard":1500,"reduced":500,"shipping":1500}}', ...env },
  })
  const as = (who?: Parameters<typeof service.as>[1]) => service.as<OrderServiceClient>(OrderServiceDefinition, who)
  const [seller, other] = [await vendorMember(), await vendorMember()]
  const clerk = await staff('orders.read', 'orders.write')
  const db = service.database.db as unknown as Kysely<Database>

  /** A cart of two vendors with discounts, tax and delivery that divide badly. */
  const twoVendors = (): CartSpec => ({
    groups: [
      {
        vendorId: seller.vendorId,
        lines: [
          { sku: `A-${newId()}`, qty: 3, price: 3333, vendorFunded: 100, platformFunded: 77, taxBps: 1500 },
          { sku: `B-${newId()}`, qty: 1, price: 12500, taxBps: 500 },
        ],
        delivery: { amount: 6000, platformFunded: 1000, taxBps: 1500 },
      },
      { vendorId: other.vendorId, lines: [{ sku: `C-${newId()}`, qty: 2, price: 999 }] },
    ],
    coupons: [{ code: 'EID', discount: 1177 }],
  })

  const requestFor = (spec: CartSpec, more: Partial<PlaceOrderRequest> = {}) => ({
    idempotencyKey: `key-${newId()}`,
    shippingAddress: ADDRESS,
    deliveries: spec.groups.map((group) => ({ vendorId: group.vendorId, optionId: OPTION })),
    paymentProvider: PaymentProvider.STRIPE,
    email: 'rahima@example.com',
    ...more,
  })

  const shopper = async (spec: CartSpec = twoVendors(), who?: Identity) => {
    const person = who ?? (await customer())
    world.carts.set(person.userId, cartOf(spec))
    return { person, client: as(person), spec, request: requestFor(spec) }
  }

  /** An order that waits for its payment. */
  const placed = async (spec?: CartSpec) => {
    const buyer = await shopper(spec)
    const { order } = await buyer.client.placeOrder(buyer.request)
    return { ...buyer, order: order! }
  }
  const paidEvent = (order: {
    id: string
    orderNo: string
    userId: string
    amounts?: { total?: { minor: bigint } | undefined } | undefined
  }) => ({
    paymentId: newId(),
    orderId: order.id,
    orderNo: order.orderNo,
    userId: order.userId,
    provider: PaymentProvider.STRIPE,
    intentId: `pi_${order.id}`,
    amount: taka(order.amounts!.total!.minor),
    paidAt: new Date(),
  })
  const paid = async (spec?: CartSpec) => {
    const buyer = await placed(spec)
    world.pay(buyer.order.id)
    await service.publish(PaymentSucceeded, paidEvent(buyer.order))
    return { ...buyer, order: (await buyer.client.getOrder({ orderNo: buyer.order.orderNo })).order! }
  }

  return {
    ...service,
    service,
    world,
    clock,
    db,
    as,
    seller,
    other,
    clerk,
    vendor: as(seller),
    otherVendor: as(other),
    staff: as(clerk),
    neighbour: as(await neighbour('review')),
    anyone: as(),
    twoVendors,
    requestFor,
    shopper,
    placed,
    paid,
    paidEvent,
    failedEvent: (
      order: { id: string; orderNo: string; userId: string },
      reasonCode: string,
      final: boolean,
    ): PaymentFailed => ({
      paymentId: newId(),
      orderId: order.id,
      orderNo: order.orderNo,
      userId: order.userId,
      provider: PaymentProvider.STRIPE,
      intentId: `pi_${order.id}`,
      amount: taka(1),
      reasonCode,
      final,
      failedAt: new Date(),
    }),
    /** Orders of one person as the database has them, drafts included. */
    ordersOf: (userId: string) =>
      db.selectFrom('orders').selectAll().where('user_id', '=', userId).orderBy('id').execute(),
    checkoutOf: (orderId: string) =>
      db.selectFrom('checkouts').selectAll().where('order_id', '=', orderId).executeTakeFirstOrThrow(),
    /** What an event told about one order. */
    async told<Data>(message: Parameters<typeof service.emitted<Data>>[0], orderId: string): Promise<Data[]> {
      const all = await service.emitted(message)
      return all.map((event) => event.data).filter((data) => (data as { orderId: string }).orderId === orderId)
    },
    recover: () => service.service.runJob('recover-checkouts'),
    deliver: () => service.service.runJob('deliver-refunds'),
  }
}
