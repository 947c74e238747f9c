import type { State } from '@haat/stripe-emulator/state'
import { type Databases, type Installation, openDatabases } from './databases.ts'
import { findWaiting, type Waiting } from './waiting.ts'

type Order = {
  id: string
  orderNo: string
  status: string
  paymentStatus: string
  total: bigint
  refunded: bigint
  cartId: string
  cancelReason: string | null
  isPlaced: boolean
  isPaid: boolean
  isOverdue: boolean
  /** Null when the order has no checkout. */
  state: string | null
  couponIds: string[]
}
type Item = { orderId: string; sku: string; qty: number }
type VendorOrder = { id: string; orderId: string; vendorId: string; status: string; items: number }
type OrderRefund = { id: string; orderId: string; state: string; restock: string }
/** Units that refunds of the order put back on the shelf. */
type Returned = { orderId: string; sku: string; qty: number }
type Told = { orderId: string; event: string; count: number }

type Reservation = { orderId: string; sku: string; qty: number; state: string }
/** Movements of a SKU in an order's name: how many sales, of how many units, and how many units came back. */
type Movement = { orderId: string; sku: string; sales: number; sold: number; returned: number }
type Stock = { sku: string; onHand: number; moved: number; reserved: number; held: number }

type Usage = { orderId: string; couponId: string; state: string }
type Coupon = {
  id: string
  code: string
  usageLimit: number | null
  perUserLimit: number | null
  heldCount: number
  redeemedCount: number
  held: number
  redeemed: number
  /** The most that one person has of it, and whether any person's count is wrong. */
  mostUses: number
  miscounted: number
}

type Payment = {
  id: string
  orderId: string
  intentId: string | null
  status: string
  amount: bigint
  currency: string
  refunded: bigint
}
type PaymentRefund = { id: string; orderId: string; status: string }
type Notice = { eventId: string; type: string; status: string }
type Transaction = { id: string; key: string; kind: string; currency: string; sum: bigint }
type Posting = { account: string; currency: string; kind: string; orderId: string; vendorOrderId: string; sum: bigint }

type Sale = { vendorOrderId: string; orderId: string; net: bigint | null }
type Earning = {
  vendorOrderId: string
  orderId: string
  type: string
  net: bigint
  rows: number
  lines: number
  deliveries: number
}
type VendorBalance = { vendorId: string; currency: string; net: bigint }

type Message = { template: string; orderNo: string; vendorOrderId: string; recipient: string; count: number }
type Unsent = { template: string; status: string; error: string; count: number }
type Cart = { id: string; orders: string[] }

/** Everything the invariants are about, read once. */
export type Facts = {
  orders: Order[]
  items: Item[]
  vendorOrders: VendorOrder[]
  orderRefunds: OrderRefund[]
  returned: Returned[]
  told: Told[]
  reservations: Reservation[]
  movements: Movement[]
  stock: Stock[]
  usages: Usage[]
  coupons: Coupon[]
  payments: Payment[]
  paymentRefunds: PaymentRefund[]
  stuckNotices: Notice[]
  transactions: Transaction[]
  postings: Posting[]
  sales: Sale[]
  earnings: Earning[]
  vendorBalances: VendorBalance[]
  messages: Message[]
  unsent: Unsent[]
  carts: Cart[]
  waiting: Waiting
  provider: State
}

/** Reads the facts of an installation. What moves meanwhile may be seen in two places or in none: let it drain first. */
export async function readFacts(installation: Installation): Promise<Facts> {
  const databases = await openDatabases(installation)
  try {
    const waiting = await findWaiting(databases, installation)
    return { ...(await readDatabases(databases)), waiting, provider: installation.stripe.state() }
  } finally {
    await databases.close()
  }
}

async function readDatabases({ rows, mongo }: Databases): Promise<Omit<Facts, 'waiting' | 'provider'>> {
  const carts = mongo('cart').collection<{ _id: string; orders: string[]; owner: string }>('carts')
  return {
    orders: await rows<Order>(
      'order',
      `select o.id, o.order_no as "orderNo", o.status, o.payment_status as "paymentStatus", o.total, o.refunded,
              o.cart_id as "cartId", o.cancel_reason as "cancelReason", o.placed_at is not null as "isPlaced",
              o.paid_at is not null as "isPaid", coalesce(o.pay_by < now() - interval '1 minute', false) as "isOverdue",
              c.state, coalesce(array(select e ->> 'couponId' from jsonb_array_elements(c.coupons) e), '{}') as "couponIds"
         from orders o left join checkouts c on c.order_id = o.id order by o.id`,
    ),
    items: await rows<Item>('order', `select order_id as "orderId", sku, qty from order_items`),
    vendorOrders: await rows<VendorOrder>(
      'order',
      `select v.id, v.order_id as "orderId", v.vendor_id as "vendorId", v.status,
              (select count(*)::int from order_items i where i.vendor_order_id = v.id) as items
         from vendor_orders v`,
    ),
    orderRefunds: await rows<OrderRefund>('order', `select id, order_id as "orderId", state, restock from refunds`),
    returned: await rows<Returned>(
      'order',
      `select r.order_id as "orderId", l.sku, sum(l.qty)::int as qty
         from refunds r
         join refund_parts p on p.refund_id = r.id and p.restocked
         join refund_lines l on l.refund_id = p.refund_id and l.vendor_order_id = p.vendor_order_id
        group by 1, 2`,
    ),
    told: await rows<Told>(
      'order',
      `select order_id as "orderId", event, count(*)::int as count from order_timeline
        where event in ('placed', 'paid') or event = 'cancelled' and vendor_order_id is null group by 1, 2`,
    ),
    reservations: await rows<Reservation>(
      'inventory',
      `select order_id as "orderId", sku, qty, state from reservations`,
    ),
    movements: await rows<Movement>(
      'inventory',
      `select coalesce(r.order_id, m.reference) as "orderId", m.sku,
              (count(*) filter (where m.kind = 'sale'))::int as sales,
              coalesce(-sum(m.delta) filter (where m.kind = 'sale'), 0)::int as sold,
              coalesce(sum(m.delta) filter (where m.kind = 'restock'), 0)::int as returned
         from stock_movements m left join restocks r on m.kind = 'restock' and r.reference = m.reference
        where m.kind in ('sale', 'restock') group by 1, 2`,
    ),
    stock: await rows<Stock>(
      'inventory',
      `select i.sku, i.quantity_on_hand as "onHand", i.quantity_reserved as reserved,
              coalesce((select sum(delta) from stock_movements m where m.sku = i.sku), 0)::int as moved,
              coalesce((select sum(qty) from reservations r where r.sku = i.sku and r.state = 'held'), 0)::int as held
         from inventory i`,
    ),
    usages: await rows<Usage>(
      'promotion',
      `select order_id as "orderId", coupon_id as "couponId", state from coupon_usages`,
    ),
    coupons: await rows<Coupon>(
      'promotion',
      `select c.id, c.code, c.usage_limit as "usageLimit", c.per_user_limit as "perUserLimit",
              c.held_count as "heldCount", c.redeemed_count as "redeemedCount",
              (select count(*)::int from coupon_usages u where u.coupon_id = c.id and u.state = 'held') as held,
              (select count(*)::int from coupon_usages u where u.coupon_id = c.id and u.state = 'redeemed') as redeemed,
              coalesce((select max(uses) from coupon_user_counts n where n.coupon_id = c.id), 0) as "mostUses",
              (select count(*)::int from (
                 select user_id, uses from coupon_user_counts n where n.coupon_id = c.id and uses > 0
                 except
                 select user_id, count(*)::int from coupon_usages u
                  where u.coupon_id = c.id and u.state <> 'released' group by user_id) as wrong) as miscounted
         from coupons c`,
    ),
    payments: await rows<Payment>(
      'payment',
      `select id, order_id as "orderId", intent_id as "intentId", status, amount, currency, refunded_amount as refunded from payments`,
    ),
    paymentRefunds: await rows<PaymentRefund>('payment', `select id, order_id as "orderId", status from refunds`),
    stuckNotices: await rows<Notice>(
      'payment',
      `select event_id as "eventId", type, status from webhook_events
        where status = 'failed'
           or status = 'received' and coalesce(next_attempt_at < now() - interval '1 minute', true)`,
    ),
    transactions: await rows<Transaction>(
      'payment',
      `select t.id, t.business_key as key, t.kind, p.currency, sum(p.amount) as sum
         from ledger_transactions t left join ledger_postings p on p.transaction_id = t.id group by 1, 2, 3, 4`,
    ),
    postings: await rows<Posting>(
      'payment',
      `select p.account, p.currency, t.kind, coalesce(p.order_id::text, '') as "orderId",
              coalesce(p.vendor_order_id::text, '') as "vendorOrderId", sum(p.amount) as sum
         from ledger_postings p left join ledger_transactions t on t.id = p.transaction_id group by 1, 2, 3, 4, 5`,
    ),
    sales: await rows<Sale>(
      'vendor',
      `select vendor_order_id as "vendorOrderId", order_id as "orderId", net from vendor_order_sales`,
    ),
    earnings: await rows<Earning>(
      'vendor',
      `select vendor_order_id as "vendorOrderId", order_id as "orderId", type, sum(net) as net, count(*)::int as rows,
              count(distinct order_item_id)::int as lines, (count(*) filter (where order_item_id is null))::int as deliveries
         from vendor_earnings where vendor_order_id is not null group by 1, 2, 3`,
    ),
    vendorBalances: await rows<VendorBalance>(
      'vendor',
      `select vendor_id as "vendorId", currency, sum(net) as net from vendor_earnings group by 1, 2`,
    ),
    messages: await rows<Message>(
      'notification',
      `select template_key as template, coalesce(payload_json ->> 'orderNo', '') as "orderNo",
              coalesce(payload_json ->> 'vendorOrderId', '') as "vendorOrderId", recipient, count(*)::int as count
         from messages
        where channel = 'email' and template_key in ('order_placed', 'order_paid', 'order_cancelled', 'vendor_order_new')
        group by 1, 2, 3, 4`,
    ),
    // A message whose link has expired is of no use any more, and not sent.
    unsent: await rows<Unsent>(
      'notification',
      `select template_key as template, status, error, count(*)::int as count
         from (select template_key, status, error from messages union all select template_key, status, error from notices) as all_of_it
        where status = 'queued' or status = 'failed' and error <> 'expired' group by 1, 2, 3`,
    ),
    carts: (await carts.find({ owner: { $not: /^closed:/ } }, { projection: { orders: 1 } }).toArray()).map(
      ({ _id, orders }) => ({ id: _id, orders }),
    ),
  }
}
