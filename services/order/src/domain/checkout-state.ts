/**
 * The life of a checkout. Until `payable` nobody but us knows of the order, and it is undone; from `paid` on it only goes
 * forward. `releasing` and `cancelling` are written before the calls they stand for, so that a crash loses no decision.
 */
export const checkoutMoves = {
  /** Frozen; stock, coupons and the payment are being held. */
  open: { place: 'payable', undo: 'releasing' },
  /** What was held is being given back; `place` when it turns out that money has moved. */
  releasing: { place: 'payable', undone: 'failed' },
  /** Waits for the customer's payment. */
  payable: { pay: 'paid', requestCancel: 'cancelling', cancel: 'cancelled' },
  /** The payment is being closed; `pay` when the customer was faster. */
  cancelling: { pay: 'paid', cancel: 'cancelled' },
  paid: {},
  cancelled: {},
  failed: {},
} as const satisfies Record<string, Record<string, string>>

export type CheckoutState = keyof typeof checkoutMoves
export type CheckoutMove = 'place' | 'undo' | 'undone' | 'pay' | 'requestCancel' | 'cancel'

/** The state after a move; undefined when the move is not legal. */
export const moveCheckout = (state: CheckoutState, move: CheckoutMove): CheckoutState | undefined =>
  (checkoutMoves[state] as Partial<Record<CheckoutMove, CheckoutState>>)[move]

/** The states in which a move is legal. */
export const checkoutStatesFor = (move: CheckoutMove): CheckoutState[] =>
  (Object.keys(checkoutMoves) as CheckoutState[]).filter((state) => moveCheckout(state, move))

/** Where a move leads, from wherever it is legal. */
export const checkoutTargets: Record<CheckoutMove, CheckoutState> = {
  place: 'payable',
  undo: 'releasing',
  undone: 'failed',
  pay: 'paid',
  requestCancel: 'cancelling',
  cancel: 'cancelled',
}

/** Nothing moves any more. */
export const isFinal = (state: CheckoutState): boolean => Object.keys(checkoutMoves[state]).length === 0
