import { enumNames } from '@haat/kit/enum'
import type { EventMessage } from '@haat/kit/events/definition'
import {
  UserBlocked,
  UserCreated,
  UserEmailVerificationRequested,
  UserPasswordChanged,
  UserPasswordResetRequested,
  UserUnblocked,
} from '@haat/proto/auth/v1/events'
import { CartAbandoned } from '@haat/proto/cart/v1/events'
import { ProductApproved, ProductRejected } from '@haat/proto/catalog/v1/events'
import { InventoryLowStock } from '@haat/proto/inventory/v1/events'
import {
  OrderCancelled,
  OrderCreated,
  OrderPaid,
  OrderRefunded,
  type SoldVendorOrder,
  VendorOrderAccepted,
  VendorOrderCancelled,
  VendorOrderDelivered,
  VendorOrderShipped,
} from '@haat/proto/order/v1/events'
import { CancelReason } from '@haat/proto/order/v1/order'
import { PaymentFailed, PaymentRefunded, PayoutFailed, PayoutProcessed } from '@haat/proto/payment/v1/events'
import { ReviewApproved, ReviewRejected, ReviewReplied } from '@haat/proto/review/v1/events'
import {
  PayoutApproved,
  PayoutRejected,
  PayoutRequested,
  VendorApplied,
  VendorApproved,
  VendorBankReviewed,
  VendorKycReviewed,
  VendorMemberAdded,
  VendorMemberRemoved,
  VendorRejected,
  VendorSuspended,
} from '@haat/proto/vendor/v1/events'
import { KycDocType } from '@haat/proto/vendor/v1/vendor'
import type { Addressee } from '../db/messages.ts'
import type { BuiltInKey } from '../domain/built-in.ts'

/** A person, or those of a vendor's people who have a permission there; the owner has all. */
export type Audience = Addressee | { vendorId: string; permission: string }

/** One thing to tell; `values` is what the template may use. */
export type Draft = {
  template: BuiltInKey
  to: Audience
  values: object
  expiresAt?: Date | undefined
  /** Told once although several events tell of it: what it is about. */
  once?: string
}

export type Notice = { message: EventMessage<unknown>; drafts: (data: never) => Draft[] }

/** One row: what is told to whom when an event happens. */
const when = <Data>(message: EventMessage<Data>, drafts: (data: Data) => Draft[]): Notice => ({
  message: message as EventMessage<unknown>,
  drafts,
})

const cancelReasons = enumNames(CancelReason)
const docTypes = enumNames(KycDocType)

/** A reason as a template's section: `{ why: { out_of_stock: true } }`. */
const reason = (code: string) => ({ [code]: true })
const cancelled = (code: CancelReason) => (code === CancelReason.UNSPECIFIED ? {} : reason(cancelReasons.toName(code)))
const oneOf = (codes: string[], code: string) => reason(codes.includes(code) ? code : 'other')

const user = (userId: string): Addressee => ({ userId })
const customer = ({ userId, email }: { userId: string; email: string }): Addressee => ({ userId, email })
const account = ({ userId, email, name, locale }: Required<Addressee>): Addressee => ({ userId, email, name, locale })
const staffOf = (vendorId: string, permission: string): Audience => ({ vendorId, permission })

const goods = (items: readonly { title: string; sku: string; qty: number }[]) =>
  items.map(({ title, sku, qty }) => ({ title, sku, qty }))
const sold = (vendorOrders: readonly SoldVendorOrder[]) =>
  vendorOrders.flatMap((part) =>
    part.lines.map(({ title, sku, qty, subtotal }) => ({ title, sku, qty, total: subtotal })),
  )
/** Reasons for which one vendor's part ends while the rest of the order goes on. */
const byVendor: CancelReason[] = [CancelReason.VENDOR_REQUEST, CancelReason.OUT_OF_STOCK]

type Refund = { refundId: string; orderNo: string; amount: unknown; full: boolean; reason: string }

const refund = ({ refundId, orderNo, amount, full, reason }: Refund, to: Addressee): Draft => ({
  template: 'order_refunded',
  to,
  // A code instead of somebody's words says nothing to the customer.
  values: { orderNo, amount, full, reason: (cancelReasons.names as string[]).includes(reason) ? '' : reason },
  once: `refund:${refundId}`,
})

const cardReasons = ['card_declined', 'insufficient_funds', 'authentication_failed']
const payoutReasons = ['balance_insufficient', 'account_invalid', 'returned', 'provider_rejected']

export const notices: Notice[] = [
  when(UserCreated, (e) => [{ template: 'welcome', to: account(e), values: {} }]),
  when(UserEmailVerificationRequested, (e) => {
    const { token, expiresAt } = e
    return [{ template: 'email_verification', to: account(e), values: { token, expiresAt }, expiresAt }]
  }),
  when(UserPasswordResetRequested, (e) => {
    const { token, expiresAt } = e
    return [{ template: 'password_reset', to: account(e), values: { token, expiresAt }, expiresAt }]
  }),
  when(UserPasswordChanged, (e) => [
    { template: 'password_changed', to: account(e), values: { changedAt: e.changedAt } },
  ]),
  when(UserBlocked, (e) => [{ template: 'account_blocked', to: user(e.userId), values: { reason: e.reason } }]),
  when(UserUnblocked, (e) => [{ template: 'account_unblocked', to: user(e.userId), values: {} }]),

  when(VendorApplied, ({ name, ownerUserId }) => [
    { template: 'vendor_applied', to: user(ownerUserId), values: { vendorName: name } },
  ]),
  when(VendorApproved, ({ name, slug, ownerUserId }) => [
    { template: 'vendor_approved', to: user(ownerUserId), values: { vendorName: name, slug } },
  ]),
  when(VendorRejected, ({ name, reason, ownerUserId }) => [
    { template: 'vendor_rejected', to: user(ownerUserId), values: { vendorName: name, reason } },
  ]),
  when(VendorSuspended, ({ name, reason, ownerUserId }) => [
    { template: 'vendor_suspended', to: user(ownerUserId), values: { vendorName: name, reason } },
  ]),
  when(VendorKycReviewed, ({ vendorName, ownerUserId, accepted, reason: why, docType }) => {
    const document = reason(docType === KycDocType.UNSPECIFIED ? 'other' : docTypes.toName(docType))
    const values = { vendorName, accepted, reason: why, document }
    return [{ template: 'vendor_kyc_reviewed', to: user(ownerUserId), values }]
  }),
  when(VendorBankReviewed, ({ vendorName, ownerUserId, verified, last4, reason }) => [
    { template: 'vendor_bank_reviewed', to: user(ownerUserId), values: { vendorName, verified, last4, reason } },
  ]),
  when(VendorMemberAdded, (e) => [
    { template: 'vendor_member_added', to: customer(e), values: { vendorName: e.vendorName } },
  ]),
  when(VendorMemberRemoved, ({ userId, vendorName }) => [
    { template: 'vendor_member_removed', to: user(userId), values: { vendorName } },
  ]),

  when(ProductApproved, ({ vendorId, title, slug, productId, changeRequestId, imported }) => {
    // An answer to who submitted it; thousands that staff imports answer nobody.
    if (imported) return []
    const values = { title, slug, productId, isChange: changeRequestId !== undefined }
    return [{ template: 'product_approved', to: staffOf(vendorId, 'catalog.write'), values }]
  }),
  when(ProductRejected, ({ vendorId, title, slug, productId, changeRequestId, reason }) => [
    {
      template: 'product_rejected',
      to: staffOf(vendorId, 'catalog.write'),
      values: { title, slug, productId, isChange: changeRequestId !== undefined, reason },
    },
  ]),
  when(InventoryLowStock, ({ vendorId, sku, onHand, available, reorderPoint }) => [
    {
      template: 'low_stock',
      to: staffOf(vendorId, 'inventory.write'),
      values: { sku, onHand, available, reorderPoint },
    },
  ]),

  when(OrderCreated, (e) => {
    const { orderNo, amounts, payBy } = e
    const values = { orderNo, lines: sold(e.vendorOrders), amounts, payBy }
    return [{ template: 'order_placed', to: customer(e), values, expiresAt: payBy }]
  }),
  when(OrderPaid, (e) => {
    const { orderNo, amounts, paidAt, customerName } = e
    const values = { orderNo, lines: sold(e.vendorOrders), amounts, paidAt }
    return [
      { template: 'order_paid', to: { ...customer(e), name: customerName }, values },
      ...e.vendorOrders.map((part): Draft => {
        const { vendorOrderId, vendorNet: net, acceptBy } = part
        return {
          template: 'vendor_order_new',
          to: staffOf(part.vendorId, 'orders.read'),
          values: { orderNo, vendorOrderId, lines: sold([part]), net, acceptBy },
        }
      }),
    ]
  }),
  when(OrderCancelled, (e) => {
    // The customer saw a failed checkout happen, and of refunded lines order.refunded tells.
    if (e.reason === CancelReason.CHECKOUT_FAILED || e.reason === CancelReason.REFUNDED) return []
    const { orderNo, note, wasPaid } = e
    const values = { orderNo, note, wasPaid, why: cancelled(e.reason), items: goods(e.lines) }
    return [{ template: 'order_cancelled', to: customer(e), values }]
  }),
  // Order decides most refunds; payment alone tells of those that staff or a late payment caused.
  when(OrderRefunded, (e) => [refund(e, customer(e))]),
  when(PaymentRefunded, (e) => [refund(e, user(e.userId))]),
  when(PaymentFailed, ({ userId, orderNo, amount, reasonCode, final }) => {
    // A payment that is over cancels the order, which tells it.
    if (final) return []
    return [
      {
        template: 'payment_failed',
        to: user(userId),
        values: { orderNo, amount, why: oneOf(cardReasons, reasonCode) },
      },
    ]
  }),

  when(VendorOrderAccepted, (e) => {
    const values = { orderNo: e.orderNo, items: goods(e.items) }
    return [{ template: 'vendor_order_accepted', to: customer(e), values }]
  }),
  when(VendorOrderShipped, (e) => {
    const { orderNo, carrier, trackingNo, shippedAt } = e
    const values = { orderNo, carrier, trackingNo, shippedAt, items: goods(e.items) }
    return [{ template: 'vendor_order_shipped', to: customer(e), values }]
  }),
  when(VendorOrderDelivered, (e) => {
    const { orderNo, carrier, trackingNo, deliveredAt } = e
    const values = { orderNo, carrier, trackingNo, deliveredAt, items: goods(e.items) }
    return [{ template: 'vendor_order_delivered', to: customer(e), values }]
  }),
  when(VendorOrderCancelled, (e) => {
    const { orderNo, vendorOrderId, note, wasPaid } = e
    const items = goods(e.items)
    // With the whole order the customer hears of order.cancelled, and a vendor that gave up needs no message.
    if (byVendor.includes(e.reason)) {
      const values = { orderNo, note, wasPaid, items, why: cancelled(e.reason) }
      return [{ template: 'vendor_order_cancelled', to: customer(e), values }]
    }
    if (!wasPaid) return []
    const values = { orderNo, vendorOrderId, note, items }
    return [{ template: 'vendor_order_withdrawn', to: staffOf(e.vendorId, 'orders.read'), values }]
  }),

  when(PayoutRequested, ({ vendorId, vendorName, payoutId, amount }) => [
    {
      template: 'payout_requested',
      to: staffOf(vendorId, 'payouts.read'),
      values: { vendorName, payoutId, amount },
    },
  ]),
  when(PayoutApproved, ({ vendorId, vendorName, payoutId, amount, bankLast4: last4 }) => [
    {
      template: 'payout_approved',
      to: staffOf(vendorId, 'payouts.read'),
      values: { vendorName, payoutId, amount, last4 },
    },
  ]),
  when(PayoutRejected, ({ vendorId, vendorName, payoutId, amount, reason }) => [
    {
      template: 'payout_rejected',
      to: staffOf(vendorId, 'payouts.read'),
      values: { vendorName, payoutId, amount, reason },
    },
  ]),
  when(PayoutProcessed, ({ vendorId, payoutId, amount, externalRef: reference, processedAt }) => [
    {
      template: 'payout_processed',
      to: staffOf(vendorId, 'payouts.read'),
      values: { payoutId, amount, reference, processedAt },
    },
  ]),
  when(PayoutFailed, ({ vendorId, payoutId, amount, reasonCode }) => [
    {
      template: 'payout_failed',
      to: staffOf(vendorId, 'payouts.read'),
      values: { payoutId, amount, why: oneOf(payoutReasons, reasonCode) },
    },
  ]),

  when(ReviewApproved, ({ userId, rating }) => [{ template: 'review_approved', to: user(userId), values: { rating } }]),
  when(ReviewRejected, ({ userId, rating, reason }) => [
    { template: 'review_rejected', to: user(userId), values: { rating, reason } },
  ]),
  when(ReviewReplied, ({ userId }) => [{ template: 'review_replied', to: user(userId), values: {} }]),

  when(CartAbandoned, ({ userId, items, subtotal }) => {
    if (!userId) return []
    const values = { items: items.map(({ title, qty }) => ({ title, qty })), subtotal }
    return [{ template: 'cart_abandoned', to: user(userId), values }]
  }),
]
