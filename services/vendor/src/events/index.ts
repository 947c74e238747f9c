import { type EventHandler, on } from '@haat/kit/events/on'
import { OrderPaid, OrderRefunded, VendorOrderDelivered } from '@haat/proto/order/v1/events'
import { PayoutFailed, PayoutProcessed } from '@haat/proto/payment/v1/events'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { ReviewApproved, ReviewRejected } from '@haat/proto/review/v1/events'
import type { VendorContext } from '../context.ts'
import { onOrderPaid } from './on-order-paid.ts'
import { onOrderRefunded } from './on-order-refunded.ts'
import { onPayoutFailed } from './on-payout-failed.ts'
import { onPayoutProcessed } from './on-payout-processed.ts'
import { onReviewCounted } from './on-review-counted.ts'
import { onUserForgotten } from './on-user-forgotten.ts'
import { onVendorOrderDelivered } from './on-vendor-order-delivered.ts'

export const events: EventHandler<VendorContext>[] = [
  on(OrderPaid, onOrderPaid),
  on(OrderRefunded, onOrderRefunded),
  on(VendorOrderDelivered, onVendorOrderDelivered),
  on(PayoutProcessed, onPayoutProcessed),
  on(PayoutFailed, onPayoutFailed),
  on(ReviewApproved, onReviewCounted),
  on(ReviewRejected, onReviewCounted),
  on(UserForgotten, onUserForgotten),
]
