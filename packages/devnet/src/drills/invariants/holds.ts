import type { Facts } from './facts.ts'

/** Paid goods have left the shelf once, what came back is back, and nothing is held but for orders that can be paid. */
export function stockAnomalies(facts: Facts): string[] {
  const found: string[] = []
  const orderOf = new Map(facts.orders.map((order) => [order.id, order]))
  const reserved = new Map(facts.reservations.map((row) => [`${row.orderId} ${row.sku}`, row]))
  const moved = new Map(facts.movements.map((row) => [`${row.orderId} ${row.sku}`, row]))
  const back = new Map(facts.returned.map((row) => [`${row.orderId} ${row.sku}`, row.qty]))
  const ordered = new Set(facts.items.map(({ orderId, sku }) => `${orderId} ${sku}`))

  for (const { orderId, sku, qty } of facts.items) {
    const { orderNo, state } = orderOf.get(orderId)!
    const key = `${orderId} ${sku}`
    const { state: hold, qty: held } = reserved.get(key) ?? { state: 'absent', qty: 0 }
    const { sales, sold, returned } = moved.get(key) ?? { sales: 0, sold: 0, returned: 0 }
    const expected = state === 'paid' ? ['committed'] : state === 'payable' ? ['held'] : undefined
    if (expected ? !expected.includes(hold) : hold === 'held')
      found.push(`order ${orderNo} is ${state}, and its reservation of ${sku} is ${hold}`)
    if (expected && held !== qty && hold !== 'absent')
      found.push(`order ${orderNo} has ${qty} of ${sku}, and reserved ${held}`)
    const shouldSell = hold === 'committed' ? qty : 0
    if (sales > 1 || sold !== shouldSell)
      found.push(
        `order ${orderNo} took ${sold} of ${sku} off the shelf in ${sales} sales instead of ${shouldSell} in one`,
      )
    const shouldReturn = state === 'paid' ? (back.get(key) ?? 0) : sold
    if (returned !== shouldReturn)
      found.push(`order ${orderNo} put ${returned} of ${sku} back on the shelf instead of ${shouldReturn}`)
  }
  for (const [key, { orderId, sku, state }] of reserved)
    if (state === 'held' && !ordered.has(key)) found.push(`${sku} is held for ${orderId}, which is no order of it`)
  for (const [key, { orderId, sku }] of moved)
    if (!ordered.has(key)) found.push(`${sku} moved for ${orderId}, which is no order of it`)
  for (const { sku, onHand, moved: sum, reserved: promised, held } of facts.stock) {
    if (onHand !== sum) found.push(`${sku}: ${onHand} on hand, its movements sum to ${sum}`)
    if (promised !== held) found.push(`${sku}: ${promised} reserved, its reservations hold ${held}`)
    if (promised > onHand) found.push(`${sku}: ${promised} promised of ${onHand}`)
  }
  return found
}

/** A coupon is used by what was sold with it, held by what can be paid, and by nothing else; the limits hold. */
export function couponAnomalies({ orders, usages, coupons }: Facts): string[] {
  const found: string[] = []
  const stateOf = new Map(usages.map(({ orderId, couponId, state }) => [`${orderId} ${couponId}`, state]))
  const orderOf = new Map(orders.map((order) => [order.id, order]))
  const wanted = (orderId: string): string => {
    const order = orderOf.get(orderId)
    if (order?.state === 'payable') return 'held'
    return order?.state === 'paid' && order.status !== 'cancelled' ? 'redeemed' : 'released'
  }
  for (const { id, orderNo, state, couponIds } of orders)
    for (const couponId of couponIds) {
      const use = stateOf.get(`${id} ${couponId}`) ?? 'released'
      if (use !== wanted(id)) found.push(`order ${orderNo} is ${state}, and its coupon is ${use}`)
    }
  for (const { orderId, couponId, state } of usages)
    if (state !== 'released' && !orderOf.get(orderId)?.couponIds.includes(couponId))
      found.push(`a coupon is ${state} for ${orderId}, which is no order with it`)
  for (const coupon of coupons) {
    const { code, heldCount, held, redeemedCount, redeemed, usageLimit, perUserLimit, mostUses, miscounted } = coupon
    if (heldCount !== held || redeemedCount !== redeemed)
      found.push(
        `coupon ${code} counts ${heldCount} held and ${redeemedCount} redeemed instead of ${held} and ${redeemed}`,
      )
    if (miscounted) found.push(`coupon ${code} counts wrongly for ${miscounted} people`)
    if (usageLimit !== null && held + redeemed > usageLimit)
      found.push(`coupon ${code} is used more than ${usageLimit} times`)
    if (perUserLimit !== null && mostUses > perUserLimit)
      found.push(`coupon ${code} is used more than ${perUserLimit} times by one person`)
  }
  return found
}
