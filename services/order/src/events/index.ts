import { type EventHandler, on, onIdempotent } from '@haat/kit/events/on'
import { InventoryReleased } from '@haat/proto/inventory/v1/events'
import { PaymentFailed, PaymentRefunded, PaymentSucceeded } from '@haat/proto/payment/v1/events'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { ShippingStatusUpdated } from '@haat/proto/shipping/v1/events'
import type { OrderContext } from '../context.ts'
import { onInventoryReleased } from './on-inventory-released.ts'
import { onPaymentFailed } from './on-payment-failed.ts'
import { onPaymentRefunded } from './on-payment-refunded.ts'
import { onPaymentSucceeded } from './on-payment-succeeded.ts'
import { onShippingStatusUpdated } from './on-shipping-status-updated.ts'
import { onUserForgotten } from './on-user-forgotten.ts'

export const events: EventHandler<OrderContext>[] = [
  onIdempotent(PaymentSucceeded, onPaymentSucceeded),
  onIdempotent(PaymentFailed, onPaymentFailed),
  on(PaymentRefunded, onPaymentRefunded),
  onIdempotent(InventoryReleased, onInventoryReleased),
  on(ShippingStatusUpdated, onShippingStatusUpdated),
  on(UserForgotten, onUserForgotten),
]
