import type { EventMessage } from '@haat/kit/events/definition'
import { eventOf } from '@haat/kit/events/definition'
import { split } from '@haat/kit/events/sensitive'
import { ProductApproved, ProductArchived, ProductPriceUpdated, ProductRejected } from '@haat/proto/catalog/v1/events'
import { registry } from '@haat/proto/image'
import { InventoryLowStock } from '@haat/proto/inventory/v1/events'
import {
  OrderPaid,
  OrderRefunded,
  RefundedVendorOrder,
  SoldVendorOrder,
  VendorOrderAccepted,
  VendorOrderCancelled,
  VendorOrderDelivered,
  VendorOrderShipped,
} from '@haat/proto/order/v1/events'
import { PayoutFailed, PayoutProcessed } from '@haat/proto/payment/v1/events'
import { ReviewApproved, ReviewReplied } from '@haat/proto/review/v1/events'
import { ShippingLabelCreated, ShippingStatusUpdated } from '@haat/proto/shipping/v1/events'
import {
  PayoutApproved,
  PayoutRejected,
  PayoutRequested,
  VendorApproved,
  VendorSuspended,
} from '@haat/proto/vendor/v1/events'

/** What a vendor is told of an event. */
export type VendorShare = { vendorId: string; data: unknown }

export type WebhookEvent = { message: EventMessage<unknown>; type: string; shares: (data: never) => VendorShare[] }

/** The event as it is, without personal data: a vendor's system asks for addresses where it may read them. */
function whole<Data extends { vendorId: string }>(message: EventMessage<Data>): WebhookEvent {
  const descriptor = registry.getMessage(message.$type)!
  const shares = (data: Data) => [{ vendorId: data.vendorId, data: split(descriptor, message.toJSON(data)).plain }]
  return { message: message as unknown as EventMessage<unknown>, type: eventOf(message).type, shares }
}

/** An event about several vendors: each gets its own part. */
const parts = <Data>(message: EventMessage<Data>, shares: (data: Data) => VendorShare[]): WebhookEvent => ({
  message: message as EventMessage<unknown>,
  type: eventOf(message).type,
  shares,
})

export const webhookEvents: WebhookEvent[] = [
  parts(OrderPaid, ({ orderId, orderNo, paidAt, vendorOrders }) =>
    vendorOrders.map((part) => ({
      vendorId: part.vendorId,
      data: { orderId, orderNo, paidAt, vendorOrder: SoldVendorOrder.toJSON(part) },
    })),
  ),
  parts(OrderRefunded, ({ orderId, orderNo, refundId, refundedAt, vendorOrders }) =>
    vendorOrders.map((part) => ({
      vendorId: part.vendorId,
      data: { orderId, orderNo, refundId, refundedAt, vendorOrder: RefundedVendorOrder.toJSON(part) },
    })),
  ),
  whole(VendorOrderAccepted),
  whole(VendorOrderShipped),
  whole(VendorOrderDelivered),
  whole(VendorOrderCancelled),
  whole(ShippingLabelCreated),
  whole(ShippingStatusUpdated),
  whole(ProductApproved),
  whole(ProductRejected),
  whole(ProductArchived),
  whole(ProductPriceUpdated),
  whole(InventoryLowStock),
  whole(ReviewApproved),
  whole(ReviewReplied),
  whole(PayoutRequested),
  whole(PayoutApproved),
  whole(PayoutRejected),
  whole(PayoutProcessed),
  whole(PayoutFailed),
  whole(VendorApproved),
  whole(VendorSuspended),
]

export const webhookEventTypes: ReadonlySet<string> = new Set(webhookEvents.map(({ type }) => type))
