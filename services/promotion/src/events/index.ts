import { type EventHandler, on } from '@haat/kit/events/on'
import { OrderCancelled, OrderPaid } from '@haat/proto/order/v1/events'
import { PaymentFailed } from '@haat/proto/payment/v1/events'
import type { PromotionContext } from '../context.ts'
import { onOrderCancelled } from './on-order-cancelled.ts'
import { onOrderPaid } from './on-order-paid.ts'
import { onPaymentFailed } from './on-payment-failed.ts'

export const events: EventHandler<PromotionContext>[] = [
  // What was paid without coupons holds none.
  on(OrderPaid, onOrderPaid, { concerns: (_, { data }) => data.couponCodes.length > 0 }),
  on(OrderCancelled, onOrderCancelled),
  on(PaymentFailed, onPaymentFailed),
]
