import type { Facts } from './facts.ts'

const SETTLED = ['succeeded', 'partially_refunded', 'refunded']
const OPEN = ['creating', 'requires_payment', 'processing']
const ENDED = ['succeeded', 'canceled']

/** Every charge at the provider belongs to one paid or refunded order, and every paid order has its charge. */
export function paymentAnomalies(facts: Facts): string[] {
  const { orders, payments, paymentRefunds, stuckNotices, provider } = facts
  const found: string[] = []
  const orderOf = new Map(orders.map((order) => [order.id, order]))
  const name = (orderId: string) => orderOf.get(orderId)?.orderNo ?? orderId
  const ofIntent = new Map(payments.map((payment) => [payment.intentId, payment]))
  const ofOrder = new Map(payments.map((payment) => [payment.orderId, payment]))

  const charges = provider.charges.filter(({ paid }) => paid)
  const charged = new Map<string, number>()
  for (const { id, payment_intent, amount, amount_refunded, metadata } of charges) {
    const payment = ofIntent.get(payment_intent)
    const orderId = payment?.orderId ?? metadata.order_id ?? ''
    charged.set(orderId, (charged.get(orderId) ?? 0) + 1)
    if (!payment) {
      if (amount_refunded < amount)
        found.push(`charge ${id} of ${amount} belongs to no payment (order ${name(orderId)})`)
      continue
    }
    const order = orderOf.get(orderId)
    if (!SETTLED.includes(payment.status))
      found.push(`charge ${id} was made, and the payment of order ${name(orderId)} is ${payment.status}`)
    if (payment.amount !== BigInt(amount))
      found.push(`charge ${id} is of ${amount}, the payment of order ${name(orderId)} of ${payment.amount}`)
    if (payment.refunded !== BigInt(amount_refunded))
      found.push(`charge ${id} gave ${amount_refunded} back, the payment of order ${name(orderId)} ${payment.refunded}`)
    if (order?.state !== 'paid' && amount_refunded < amount)
      found.push(
        `charge ${id} was made for order ${name(orderId)}, which is ${order?.state ?? 'unknown'}, and not given back`,
      )
  }
  for (const [orderId, times] of charged) if (times > 1) found.push(`order ${name(orderId)} was charged ${times} times`)

  const chargedIntents = new Set(charges.map(({ payment_intent }) => payment_intent))
  for (const { orderId, status, amount, refunded, intentId } of payments) {
    const order = orderOf.get(orderId)
    if (!order) found.push(`a payment belongs to ${orderId}, which is no order`)
    if (status === 'under_review') found.push(`the payment of order ${name(orderId)} is under review`)
    if (SETTLED.includes(status) && amount > 0n && !chargedIntents.has(intentId ?? ''))
      found.push(`the payment of order ${name(orderId)} is ${status}, and there is no charge`)
    if (OPEN.includes(status) !== (order?.state === 'payable'))
      found.push(`order ${name(orderId)} is ${order?.state}, and its payment is ${status}`)
    if (order && order.refunded !== refunded)
      found.push(`order ${order.orderNo} gave ${order.refunded} back, its payment ${refunded}`)
  }
  for (const { id, orderNo, state } of orders)
    if (state === 'paid' && !SETTLED.includes(ofOrder.get(id)?.status ?? ''))
      found.push(`order ${orderNo} is paid without a payment`)
  for (const { id, status, metadata } of provider.paymentIntents) {
    const orderId = metadata.order_id ?? ''
    const isPayable = orderOf.get(orderId)?.state === 'payable' && ofIntent.has(id)
    if (!ENDED.includes(status) && !isPayable)
      found.push(`intent ${id} of order ${name(orderId)} can still be paid: ${status}`)
  }
  for (const { id, orderId, status } of paymentRefunds)
    if (status === 'requested' || status === 'submitted')
      found.push(`refund ${id} of order ${name(orderId)} is ${status}`)
  for (const { eventId, type, status } of stuckNotices) found.push(`notice ${eventId} (${type}) is ${status}`)
  return found
}

/** The ledger sums to zero, holds each sale once, and tells the same as the provider's record, order by order. */
export function ledgerAnomalies({ orders, payments, transactions, postings, provider }: Facts): string[] {
  const found: string[] = []
  const name = new Map(orders.map(({ id, orderNo }) => [id, orderNo]))
  for (const { key, currency, sum } of transactions)
    if (sum !== 0n) found.push(sum === null ? `${key} has no postings` : `${key} sums to ${sum} ${currency}`)
  for (const [currency, sum] of sums(postings.map(({ currency, sum }) => [currency, sum])))
    if (sum !== 0n) found.push(`the ledger sums to ${sum} ${currency}`)

  const sales = new Set(transactions.filter(({ kind }) => kind === 'sale').map(({ key }) => key))
  for (const { id, orderId, status, amount } of payments) {
    const has = sales.delete(`sale:${id}`)
    if (has !== SETTLED.includes(status) && amount > 0n)
      found.push(
        `the ledger has ${has ? 'a' : 'no'} sale of order ${name.get(orderId) ?? orderId}, whose payment is ${status}`,
      )
  }
  for (const key of sales) found.push(`${key} is a sale of no payment`)

  const clearing = postings.filter(({ account }) => account === 'provider_clearing:stripe')
  const booked = sums(clearing.map(({ currency, sum }) => [currency.toLowerCase(), sum]))
  const balance = new Map(Object.entries(provider.balance.platform).map(([code, minor]) => [code, BigInt(minor)]))
  for (const [code, ours, theirs] of differences(booked, balance))
    found.push(`the ledger has ${ours} ${code} at the provider, the provider ${theirs}`)

  const orderOfIntent = new Map(payments.map(({ intentId, orderId }) => [intentId ?? '', orderId]))
  const intentOf = new Map(
    [...provider.charges, ...provider.refunds].map(({ id, payment_intent }) => [id, payment_intent]),
  )
  const movements = provider.balanceTransactions.flatMap(({ account, source, net }): [string, bigint][] => {
    const orderId = orderOfIntent.get(intentOf.get(source) ?? '')
    return account === null && orderId ? [[orderId, BigInt(net)]] : []
  })
  const ours = sums(clearing.flatMap(({ orderId, sum }): [string, bigint][] => (orderId ? [[orderId, sum]] : [])))
  for (const [orderId, here, there] of differences(ours, sums(movements)))
    found.push(`the ledger has ${here} of order ${name.get(orderId) ?? orderId} at the provider, the provider ${there}`)
  return found
}

/** Vendors earn what the ledger owes them, once per sold line. */
export function earningAnomalies(facts: Facts): string[] {
  const { orders, vendorOrders, sales, earnings, vendorBalances, postings } = facts
  const found: string[] = []
  const orderOf = new Map(orders.map((order) => [order.id, order]))
  const name = (orderId: string) => orderOf.get(orderId)?.orderNo ?? orderId
  const netOf = new Map(sales.map(({ vendorOrderId, net }) => [vendorOrderId, net]))
  const soldRows = new Map(
    earnings.filter(({ type }) => type === 'sale').map((row) => [row.vendorOrderId, row] as const),
  )
  for (const { id, orderId, items } of vendorOrders) {
    const isSold = orderOf.get(orderId)?.state === 'paid'
    const { rows, lines, deliveries } = soldRows.get(id) ?? { rows: 0, lines: 0, deliveries: 0 }
    if (isSold && (netOf.get(id) ?? null) === null)
      found.push(`vendor order ${id} of order ${name(orderId)} earns nothing`)
    if (lines !== (isSold ? items : 0) || deliveries > 1 || rows !== lines + deliveries)
      found.push(
        `vendor order ${id} of order ${name(orderId)} has ${rows} earnings of ${lines} lines and ${deliveries} deliveries`,
      )
  }
  const payable = postings.filter(({ account }) => account.startsWith('vendor_payable:'))
  const owed = sums(
    payable.flatMap((row): [string, bigint][] => (row.vendorOrderId ? [[row.vendorOrderId, -row.sum]] : [])),
  )
  const earned = sums(earnings.map(({ vendorOrderId, net }) => [vendorOrderId, net]))
  for (const [id, here, there] of differences(earned, owed))
    found.push(`vendor order ${id} earned ${here}, the ledger owes ${there}`)
  const balances = sums(vendorBalances.map(({ vendorId, currency, net }) => [`${vendorId} ${currency}`, net]))
  const debts = sums(
    payable.map(({ account, currency, sum }) => [`${account.slice('vendor_payable:'.length)} ${currency}`, -sum]),
  )
  for (const [vendor, here, there] of differences(balances, debts))
    found.push(`vendor ${vendor} earned ${here}, the ledger owes ${there}`)
  return found
}

function sums(entries: readonly (readonly [string, bigint])[]): Map<string, bigint> {
  const totals = new Map<string, bigint>()
  for (const [key, amount] of entries) totals.set(key, (totals.get(key) ?? 0n) + amount)
  return totals
}

/** Where two accounts of the same differ; what one does not mention is zero. */
const differences = (here: Map<string, bigint>, there: Map<string, bigint>): [string, bigint, bigint][] =>
  [...new Set([...here.keys(), ...there.keys()])]
    .map((key): [string, bigint, bigint] => [key, here.get(key) ?? 0n, there.get(key) ?? 0n])
    .filter(([, ours, theirs]) => ours !== theirs)
