/** The life of a vendor order, one row per state: what may happen, and what it becomes. */
export const vendorOrderMoves = {
  awaiting_payment: { pay: 'pending', cancel: 'cancelled' },
  pending: { accept: 'accepted', cancel: 'cancelled' },
  accepted: { ship: 'shipped', cancel: 'cancelled' },
  shipped: { deliver: 'delivered' },
  delivered: {},
  cancelled: {},
} as const satisfies Record<string, Record<string, string>>

export type VendorOrderStatus = keyof typeof vendorOrderMoves
export type VendorOrderMove = 'pay' | 'accept' | 'ship' | 'deliver' | 'cancel'

/** The state after a move; undefined when the move is not legal. */
export const moveVendorOrder = (status: VendorOrderStatus, move: VendorOrderMove): VendorOrderStatus | undefined =>
  (vendorOrderMoves[status] as Partial<Record<VendorOrderMove, VendorOrderStatus>>)[move]

/** The states in which a move is legal. */
export const vendorOrderStatesFor = (move: VendorOrderMove): VendorOrderStatus[] =>
  (Object.keys(vendorOrderMoves) as VendorOrderStatus[]).filter((status) => moveVendorOrder(status, move))

/** Where a move leads, from wherever it is legal. */
export const vendorOrderTargets: Record<VendorOrderMove, VendorOrderStatus> = {
  pay: 'pending',
  accept: 'accepted',
  ship: 'shipped',
  deliver: 'delivered',
  cancel: 'cancelled',
}

export type OrderStatus = 'unfulfilled' | 'processing' | 'shipped' | 'delivered' | 'cancelled' | 'returned'

const rank: Record<Exclude<VendorOrderStatus, 'cancelled'>, number> = {
  awaiting_payment: 0,
  pending: 0,
  accepted: 1,
  shipped: 2,
  delivered: 3,
}

/** An order's status, from its vendor orders that are not cancelled. */
export function orderStatusOf(parts: readonly VendorOrderStatus[]): OrderStatus {
  const ranks = parts.filter((status) => status !== 'cancelled').map((status) => rank[status])
  if (ranks.length === 0) return 'cancelled'
  const [slowest, fastest] = [Math.min(...ranks), Math.max(...ranks)]
  if (slowest === 3) return 'delivered'
  if (slowest === 2) return 'shipped'
  return fastest > 0 ? 'processing' : 'unfulfilled'
}
