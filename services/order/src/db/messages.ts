import { enumNames } from '@haat/kit/enum'
import { money } from '@haat/money/money'
import type { Address } from '@haat/proto/common/v1/common'
import {
  type Amounts,
  CancelReason,
  type DeliveryCharge,
  type OrderItem,
  type Order as OrderMessage,
  OrderStatus,
  PaymentProvider,
  PaymentStatus,
  type VendorOrder as VendorOrderMessage,
  VendorOrderStatus,
} from '@haat/proto/order/v1/order'
import type { Kysely } from 'kysely'
import { amountOf, vendorNetOf } from '../domain/parts.ts'
import { listRefunds, toOrderRefund } from './refunds.ts'
import {
  deliveryParts,
  type Item,
  itemParts,
  listSales,
  type Order,
  type Sale,
  type VendorOrder,
  type VendorPart,
} from './sales.ts'
import type { CancelReasonName, Database } from './schema.ts'

export const orderStatus = enumNames(OrderStatus)
export const paymentStatus = enumNames(PaymentStatus)
export const vendorOrderStatus = enumNames(VendorOrderStatus)
export const cancelReason = enumNames(CancelReason)
export const paymentProvider = enumNames(PaymentProvider)

/** Who reads: commission and earnings are not the customer's business. */
export type Reader = 'customer' | 'business'

const reasonOf = (name: CancelReasonName | null): CancelReason =>
  name === null ? CancelReason.UNSPECIFIED : cancelReason.fromName(name)

const optional = <K extends string, T>(key: K, value: T | null): { [key in K]?: T } =>
  (value === null ? {} : { [key]: value }) as { [key in K]?: T }

/** Every refund is counted in its order when it is written. */
const hasRefunds = ({ refunded, payment_status: status }: Order): boolean =>
  refunded > 0n || status === 'partial' || status === 'refunded'

/** Orders as their readers see them, with vendor orders, addresses and refunds. `known` spares reading their sales again. */
export async function toOrders(
  db: Kysely<Database>,
  orders: Order[],
  reader: Reader,
  known?: Sale[],
): Promise<OrderMessage[]> {
  const ids = orders.map((order) => order.id)
  if (ids.length === 0) return []
  const [sales, addresses, refunds] = await Promise.all([
    known ?? listSales(db, orders),
    db.selectFrom('order_addresses').selectAll().where('order_id', 'in', ids).execute(),
    listRefunds(
      db,
      orders.filter(hasRefunds).map((order) => order.id),
    ),
  ])
  return sales.map(({ order, parts }) => {
    const address = addresses.find((row) => row.order_id === order.id)
    return {
      id: order.id,
      orderNo: order.order_no,
      userId: order.user_id,
      email: order.email,
      status: orderStatus.fromName(order.status),
      paymentStatus: paymentStatus.fromName(order.payment_status),
      amounts: orderAmounts(order),
      shippingAddress: address?.shipping_json,
      billingAddress: address?.billing_json,
      vendorOrders: parts.map((part) => toVendorOrder(part, reader)),
      couponCodes: order.coupon_codes,
      refunds: refunds.filter((refund) => refund.row.order_id === order.id).map((refund) => toOrderRefund(refund)),
      placedAt: order.placed_at ?? order.created_at,
      ...optional('paidAt', order.paid_at),
      ...optional('deliveredAt', order.delivered_at),
      ...optional('cancelledAt', order.cancelled_at),
      cancelReason: reasonOf(order.cancel_reason),
      createdAt: order.created_at,
      updatedAt: order.updated_at,
      ...optional('payBy', order.payment_status === 'pending' ? order.pay_by : null),
    }
  })
}

export function orderAmounts(order: Order): Amounts {
  const of = (minor: bigint) => money(order.currency, minor)
  return {
    subtotal: of(order.subtotal),
    discount: of(order.discount),
    shipping: of(order.shipping),
    tax: of(order.tax),
    total: of(order.total),
    refunded: of(order.refunded),
    pricesIncludeTax: order.prices_include_tax,
  }
}

export function toVendorOrder({ row, items }: VendorPart, reader: Reader, shipTo?: Address): VendorOrderMessage {
  const of = (minor: bigint) => money(row.currency, minor)
  const discount = row.vendor_funded_discount + row.platform_funded_discount
  return {
    id: row.id,
    orderId: row.order_id,
    orderNo: row.order_no,
    vendorId: row.vendor_id,
    status: vendorOrderStatus.fromName(row.status),
    items: items.map((item) => toItem(item, row.currency, reader)),
    delivery: toDelivery(row),
    amounts: {
      subtotal: of(row.subtotal),
      discount: of(discount),
      shipping: of(row.shipping),
      tax: of(row.tax),
      total: of(row.total),
      refunded: of(row.refunded),
      pricesIncludeTax: row.prices_include_tax,
    },
    vendorFundedDiscount: of(row.vendor_funded_discount),
    platformFundedDiscount: of(row.platform_funded_discount),
    ...(reader === 'business' ? { commission: of(row.commission), earningNet: of(earningOf(row)) } : {}),
    ...optional('acceptBy', row.accept_by),
    carrier: row.carrier,
    trackingNo: row.tracking_no,
    ...(shipTo ? { shipTo } : {}),
    cancelReason: reasonOf(row.cancel_reason),
    placedAt: row.placed_at ?? row.created_at,
    ...optional('acceptedAt', row.accepted_at),
    ...optional('shippedAt', row.shipped_at),
    ...optional('deliveredAt', row.delivered_at),
    ...optional('cancelledAt', row.cancelled_at),
    updatedAt: row.updated_at,
  }
}

/** total + platform-funded discount - tax - commission. */
export const earningOf = (row: VendorOrder): bigint =>
  row.total + row.platform_funded_discount - row.tax - row.commission

export function toDelivery(row: VendorOrder): DeliveryCharge {
  const of = (minor: bigint) => money(row.currency, minor)
  return {
    optionId: row.option_id,
    label: row.option_label,
    carrier: row.option_carrier,
    serviceLevel: row.service_level,
    amount: of(row.shipping),
    vendorFundedDiscount: of(row.shipping_vendor_funded),
    platformFundedDiscount: of(row.shipping_platform_funded),
    tax: of(row.shipping_tax),
    taxBps: row.shipping_tax_bps,
    total: of(amountOf(deliveryParts(row), row.prices_include_tax)),
    minDays: row.min_days,
    maxDays: row.max_days,
  }
}

function toItem(item: Item, currency: string, reader: Reader): OrderItem {
  const of = (minor: bigint) => money(currency, minor)
  const business = reader === 'business'
  return {
    id: item.id,
    vendorOrderId: item.vendor_order_id,
    productId: item.product_id,
    sku: item.sku,
    title: item.title,
    image: item.image,
    optionValues: item.option_values,
    qty: item.qty,
    unitPrice: of(item.price),
    subtotal: of(item.subtotal),
    vendorFundedDiscount: of(item.vendor_funded_discount),
    platformFundedDiscount: of(item.platform_funded_discount),
    tax: of(item.tax),
    taxClass: item.tax_class,
    taxBps: item.tax_bps,
    total: of(item.total),
    ...(business ? { commission: of(item.commission) } : {}),
    commissionRuleId: business ? item.commission_rule_id : '',
    commissionRuleVersion: business ? item.commission_rule_version : 0n,
    refundedQty: item.refunded_qty,
    refundedAmount: of(item.refunded_amount),
    weightGrams: item.weight_grams,
    categoryIds: item.category_ids,
  }
}

/** What a line earns its vendor. */
export const lineNet = (item: Item, taxIncluded: boolean): bigint => vendorNetOf(itemParts(item), taxIncluded)
