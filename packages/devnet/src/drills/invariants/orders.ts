import type { Facts } from './facts.ts'

/** What an order looks like in each state that nobody has to move on. */
const RESTING: Record<string, { payment: string[]; isPlaced?: boolean; isPaid: boolean }> = {
  payable: { payment: ['pending'], isPlaced: true, isPaid: false },
  paid: { payment: ['paid', 'partial', 'refunded'], isPlaced: true, isPaid: true },
  // Money that came too late, and went back.
  cancelled: { payment: ['failed', 'refunded'], isPlaced: true, isPaid: false },
  failed: { payment: ['failed', 'refunded'], isPaid: false },
}

/** Every order rests in a final or payable state, in all its parts, and its story was told once. */
export function orderAnomalies({ orders, vendorOrders, orderRefunds, told }: Facts): string[] {
  const partsOf = Map.groupBy(vendorOrders, ({ orderId }) => orderId)
  const refundsOf = Map.groupBy(orderRefunds, ({ orderId }) => orderId)
  const toldOf = new Map(told.map(({ orderId, event, count }) => [`${orderId} ${event}`, count]))
  return orders.flatMap((order) => {
    const say = (sentence: string) => `order ${order.orderNo} ${sentence}`
    const resting = RESTING[order.state ?? '']
    if (!resting) return [say(order.state ? `stands still: its checkout is ${order.state}` : 'has no checkout')]
    const found: string[] = []
    if (!resting.payment.includes(order.paymentStatus))
      found.push(say(`is ${order.state}, and its payment is ${order.paymentStatus}`))
    if (resting.isPaid !== order.isPaid || (resting.isPlaced ?? order.isPlaced) !== order.isPlaced)
      found.push(say(`is ${order.state} at odds with its dates`))
    if (order.state === 'payable' && order.isOverdue) found.push(say('is payable although its time is over'))

    const parts = partsOf.get(order.id) ?? []
    const waits = parts.filter(({ status }) => status === 'awaiting_payment').length
    if (parts.length === 0) found.push(say('has no vendor orders'))
    if (waits !== (order.state === 'payable' ? parts.length : 0))
      found.push(say(`is ${order.state}, and ${waits} of its ${parts.length} parts await payment`))
    const isCancelled = parts.every(({ status }) => status === 'cancelled')
    if (isCancelled !== (order.status === 'cancelled'))
      found.push(say(`is ${order.status}, its parts are ${parts.map(({ status }) => status).join(', ')}`))
    if (order.state !== 'paid' && order.state !== 'payable' && !isCancelled)
      found.push(say(`is ${order.state}, and a part of it goes on`))

    for (const { id, state, restock } of refundsOf.get(order.id) ?? []) {
      if (state !== 'paid') found.push(say(`has refund ${id}, which is ${state}`))
      if (restock === 'pending' || restock === 'failed') found.push(say(`has goods of refund ${id} not put back`))
    }
    const once = { placed: order.isPlaced, paid: order.isPaid, cancelled: order.status === 'cancelled' }
    for (const [event, has] of Object.entries(once)) {
      const times = toldOf.get(`${order.id} ${event}`) ?? 0
      if (times !== Number(has)) found.push(say(`tells ${times} times that it was ${event}`))
    }
    return found
  })
}
