import { type EventHandler, on } from '@haat/kit/events/on'
import { OrderCancelled, OrderPaid } from '@haat/proto/order/v1/events'
import { PaymentFailed } from '@haat/proto/payment/v1/events'
import type { InventoryContext } from '../context.ts'
import { onOrderCancelled } from './on-order-cancelled.ts'
import { isUncommitted, onOrderPaid } from './on-order-paid.ts'
import { onPaymentFailed } from './on-payment-failed.ts'

export const events: EventHandler<InventoryContext>[] = [
  on(OrderPaid, onOrderPaid, { concerns: isUncommitted }),
  on(OrderCancelled, onOrderCancelled),
  on(PaymentFailed, onPaymentFailed),
]
