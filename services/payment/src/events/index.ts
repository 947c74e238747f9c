import { type EventHandler, onIdempotent } from '@haat/kit/events/on'
import { OrderCancelled } from '@haat/proto/order/v1/events'
import { PayoutApproved } from '@haat/proto/vendor/v1/events'
import type { PaymentContext } from '../context.ts'
import { onOrderCancelled } from './on-order-cancelled.ts'
import { onPayoutApproved } from './on-payout-approved.ts'

export const events: EventHandler<PaymentContext>[] = [
  onIdempotent(OrderCancelled, onOrderCancelled),
  onIdempotent(PayoutApproved, onPayoutApproved),
]
