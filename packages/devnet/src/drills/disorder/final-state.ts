import { type Databases, openDatabases } from '../invariants/databases.ts'
import type { Purchase } from './stories.ts'

export type FinalStates = {
  /** What became of a purchase, in all databases, without what differs from purchase to purchase: ids, numbers, times. */
  of(purchases: Purchase[]): Promise<string[][]>
  close(): Promise<void>
}

// Every statement lists lines of text for orders; `$O` is the list of their ids. A person who pays with a second card may or
// may not hear of the first one, depending on which notice is faster; nothing else may differ.
const STATEMENTS: [service: string, about: string, query: string][] = [
  [
    'order',
    'order',
    `select id as "orderId", concat_ws(' ', status, payment_status, subtotal, discount, shipping, tax, total, refunded,
            coupon_codes::text, cancel_reason) as line from orders where id in ($O)`,
  ],
  ['order', 'checkout', `select order_id as "orderId", state as line from checkouts where order_id in ($O)`],
  [
    'order',
    'part',
    `select order_id as "orderId", concat_ws(' ', subtotal, total, status, refunded, cancel_reason, shipping_refunded,
            tracking_no <> '', accepted_at is not null, shipped_at is not null, delivered_at is not null) as line
       from vendor_orders where order_id in ($O)`,
  ],
  [
    'order',
    'item',
    `select order_id as "orderId", concat_ws(' ', sku, qty, refunded_qty, refunded_amount) as line
       from order_items where order_id in ($O)`,
  ],
  [
    'order',
    'refund',
    `select order_id as "orderId", concat_ws(' ', kind, amount, reason, state, restock) as line
       from refunds where order_id in ($O)`,
  ],
  [
    'order',
    'timeline',
    `select order_id as "orderId", event as line from order_timeline where order_id in ($O) and event <> 'payment_failed'`,
  ],
  [
    'inventory',
    'reservation',
    `select order_id as "orderId", concat_ws(' ', sku, qty, state) as line from reservations where order_id in ($O)`,
  ],
  [
    'inventory',
    'movement',
    `select coalesce(r.order_id, m.reference) as "orderId", concat_ws(' ', m.sku, m.kind, m.delta) as line
       from stock_movements m left join restocks r on r.reference = m.reference
      where coalesce(r.order_id, m.reference) in ($O)`,
  ],
  [
    'promotion',
    'coupon',
    `select order_id as "orderId", concat_ws(' ', state, discount) as line from coupon_usages where order_id in ($O)`,
  ],
  [
    'payment',
    'payment',
    `select order_id as "orderId", concat_ws(' ', status, amount, refunded_amount) as line
       from payments where order_id in ($O)`,
  ],
  [
    'payment',
    'payment refund',
    `select order_id as "orderId", concat_ws(' ', amount, status) as line from refunds where order_id in ($O)`,
  ],
  [
    'payment',
    'posting',
    `select p.order_id as "orderId", concat_ws(' ', t.kind, p.account, p.amount) as line
       from ledger_postings p join ledger_transactions t on t.id = p.transaction_id where p.order_id in ($O)`,
  ],
  [
    'vendor',
    'sale',
    `select order_id as "orderId", concat_ws(' ', vendor_id, net, delivered_at is not null) as line
       from vendor_order_sales where order_id in ($O)`,
  ],
  [
    'vendor',
    'earning',
    `select order_id as "orderId", concat_ws(' ', vendor_id, type, sku, quantity, status, gross, commission, fees, net) as line
       from vendor_earnings where order_id in ($O)`,
  ],
  [
    'shipping',
    'parcel',
    `select v.order_id as "orderId", concat_ws(' ', v.vendor_id, v.state, s.status) as line
       from vendor_orders v left join shipments s on s.vendor_order_id = v.vendor_order_id where v.order_id in ($O)`,
  ],
]

const MAILS = `select payload_json ->> 'orderNo' as "orderNo", template_key || ' ' || count(*) over (
    partition by payload_json ->> 'orderNo', template_key, recipient, payload_json ->> 'vendorOrderId') as line
  from messages where payload_json ->> 'orderNo' in ($N) and template_key <> 'payment_failed' and channel = 'email'`

/** Reads what became of purchases, behind the services' backs. */
export async function openFinalStates(installation: Parameters<typeof openDatabases>[0]): Promise<FinalStates> {
  const databases: Databases = await openDatabases(installation)
  const list = (texts: string[]) => texts.map((text) => `'${text}'`).join(', ')
  return {
    async of(purchases) {
      const ids = list(purchases.map(({ order }) => order.id))
      const numbers = list(purchases.map(({ order }) => order.orderNo))
      const lines = new Map(purchases.map(({ order }) => [order.id, [] as string[]]))
      const idOf = new Map(purchases.map(({ order }) => [order.orderNo, order.id]))
      for (const [service, about, query] of STATEMENTS)
        for (const { orderId, line } of await databases.rows<{ orderId: string; line: string }>(
          service,
          query.replace('$O', ids),
        ))
          lines.get(orderId)!.push(`${about}: ${line}`)
      const mails = await databases.rows<{ orderNo: string; line: string }>(
        'notification',
        MAILS.replace('$N', numbers),
      )
      for (const { orderNo, line } of mails) lines.get(idOf.get(orderNo)!)!.push(`mail: ${line}`)
      const users = purchases.map(({ buyer }) => buyer.userId)
      const carts = databases
        .mongo('cart')
        .collection<{ userId: string; items: unknown[]; couponCodes: string[] }>('carts')
      const contents = new Map(
        (await carts.find({ userId: { $in: users } }).toArray()).map(({ userId, items, couponCodes }) => [
          userId,
          `cart: ${items.length} items, coupons ${couponCodes.join(' ') || 'none'}`,
        ]),
      )
      return purchases.map(({ order, buyer }) =>
        [...lines.get(order.id)!, contents.get(buyer.userId) ?? 'cart: none'].sort(),
      )
    },
    close: databases.close,
  }
}
