import { type EventHandler, on } from '@haat/kit/events/on'
import { VendorOrderAccepted, VendorOrderCancelled } from '@haat/proto/order/v1/events'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import type { ShippingContext } from '../context.ts'
import { onUserForgotten } from './on-user-forgotten.ts'
import { onVendorOrderAccepted } from './on-vendor-order-accepted.ts'
import { onVendorOrderCancelled } from './on-vendor-order-cancelled.ts'

export const events: EventHandler<ShippingContext>[] = [
  on(VendorOrderAccepted, onVendorOrderAccepted),
  on(VendorOrderCancelled, onVendorOrderCancelled),
  on(UserForgotten, onUserForgotten),
]
