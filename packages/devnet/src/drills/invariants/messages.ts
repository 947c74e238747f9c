import type { Facts } from './facts.ts'

/** How many orders a cart remembers; an older one may have been forgotten. */
const REMEMBERED = 20

/** Nothing waits to be published or handled, and no handler gave up. */
export const waitingAnomalies = ({ waiting }: Facts): string[] => [
  ...waiting.unpublished.map(({ service, count }) => `${service} has ${count} unpublished events`),
  ...waiting.unhandled.map(({ queue, count }) => `${count} events wait in ${queue}`),
  ...waiting.dead.map(({ queue, count }) => `${count} events were given up by ${queue}`),
]

/** Everybody concerned was told once of every order, and the cart has let go of what was ordered. */
export function messageAnomalies({ orders, vendorOrders, messages, unsent, carts }: Facts): string[] {
  const found: string[] = []
  const told = new Map<string, number>()
  for (const { template, orderNo, vendorOrderId, recipient, count } of messages) {
    if (count > 1) found.push(`${template} of order ${orderNo} went ${count} times to ${recipient}`)
    const about = `${template} ${vendorOrderId || orderNo}`
    told.set(about, (told.get(about) ?? 0) + 1)
  }
  const expectTold = (template: string, orderNo: string, about: string, expected: boolean) => {
    const has = told.has(`${template} ${about}`)
    if (has !== expected) found.push(`order ${orderNo}: ${has ? 'somebody' : 'nobody'} was sent ${template}`)
  }
  const ordersById = new Map(orders.map((order) => [order.id, order]))
  for (const { orderNo, isPlaced, isPaid, status, cancelReason } of orders) {
    expectTold('order_placed', orderNo, orderNo, isPlaced)
    expectTold('order_paid', orderNo, orderNo, isPaid)
    const isTold = isPlaced && cancelReason !== 'checkout_failed' && cancelReason !== 'refunded'
    expectTold('order_cancelled', orderNo, orderNo, status === 'cancelled' && isTold)
  }
  for (const { id, orderId } of vendorOrders) {
    const order = ordersById.get(orderId)!
    expectTold('vendor_order_new', order.orderNo, id, order.isPaid)
  }
  for (const { template, status, error, count } of unsent)
    found.push(`${count} messages ${template} are ${status}${error && ` (${error})`}`)

  const remembered = new Map(carts.map(({ id, orders: known }) => [id, known]))
  for (const { id, orderNo, cartId, isPlaced } of orders) {
    const known = remembered.get(cartId)
    if (isPlaced && known && known.length < REMEMBERED && !known.includes(id))
      found.push(`order ${orderNo} was placed, and its cart has not heard of it`)
  }
  for (const [id, known] of remembered)
    if (new Set(known).size < known.length) found.push(`cart ${id} was cleared twice for one order`)
  return found
}
