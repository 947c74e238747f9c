import type { Installation } from './invariants/databases.ts'
import { readFacts } from './invariants/facts.ts'
import { couponAnomalies, stockAnomalies } from './invariants/holds.ts'
import { messageAnomalies, waitingAnomalies } from './invariants/messages.ts'
import { earningAnomalies, ledgerAnomalies, paymentAnomalies } from './invariants/money.ts'
import { orderAnomalies } from './invariants/orders.ts'

export type { Installation } from './invariants/databases.ts'

const checks = [
  orderAnomalies,
  stockAnomalies,
  couponAnomalies,
  paymentAnomalies,
  ledgerAnomalies,
  earningAnomalies,
  messageAnomalies,
  waitingAnomalies,
]

/**
 * Reads all databases behind the services' backs, and the provider's own record, and says in plain sentences where they
 * contradict what Haat promises; nothing when all is well. For a marketplace that has come to rest: what is on its way at
 * this moment looks like an anomaly too.
 */
export async function findAnomalies(installation: Installation): Promise<string[]> {
  const facts = await readFacts(installation)
  return checks.flatMap((check) => check(facts))
}

/** How many orders are in which state: `paid`, `paid, cancelled and refunded`, `payable`, … */
export async function countOrders(installation: Installation): Promise<Record<string, number>> {
  const { orders } = await readFacts(installation)
  const counts: Record<string, number> = {}
  for (const { state, status, paymentStatus } of orders) {
    const name = state === 'paid' && status === 'cancelled' ? `paid, cancelled and ${paymentStatus}` : (state ?? 'none')
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
