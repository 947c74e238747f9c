import { money } from '@haat/money/money'
import type {
  GoodsLine,
  OrderRefunded,
  RefundedLine,
  RefundedVendorOrder,
  SoldLine,
  SoldVendorOrder,
} from '@haat/proto/order/v1/events'
import { addParts, amountOf, sumParts, vendorNetOf } from '../domain/parts.ts'
import { earningOf, lineNet, toDelivery } from './messages.ts'
import { type Refund, refundedDeliveryParts, refundedLineParts } from './refunds.ts'
import { type Item, type Order, type Sale, unitsLeft, type VendorPart } from './sales.ts'

/** A vendor order as order.created and order.paid carry it. */
export function soldVendorOrder({ row, items }: VendorPart): SoldVendorOrder {
  const of = (minor: bigint) => money(row.currency, minor)
  const soldLine = (item: Item): SoldLine => ({
    orderItemId: item.id,
    productId: item.product_id,
    sku: item.sku,
    title: item.title,
    categoryIds: item.category_ids,
    qty: item.qty,
    unitPrice: of(item.price),
    subtotal: of(item.subtotal),
    vendorFundedDiscount: of(item.vendor_funded_discount),
    platformFundedDiscount: of(item.platform_funded_discount),
    tax: of(item.tax),
    total: of(item.total),
    commission: of(item.commission),
    commissionRuleId: item.commission_rule_id,
    commissionRuleVersion: item.commission_rule_version,
    vendorNet: of(lineNet(item, row.prices_include_tax)),
  })
  return {
    vendorOrderId: row.id,
    vendorId: row.vendor_id,
    lines: items.map(soldLine),
    delivery: toDelivery(row),
    gross: of(row.subtotal),
    shipping: of(row.shipping),
    vendorFundedDiscount: of(row.vendor_funded_discount),
    platformFundedDiscount: of(row.platform_funded_discount),
    tax: of(row.tax),
    commission: of(row.commission),
    total: of(row.total),
    vendorNet: of(earningOf(row)),
    ...(row.accept_by ? { acceptBy: row.accept_by } : {}),
  }
}

/** A vendor order's units that are not refunded. */
export const goodsLeft = (part: VendorPart): GoodsLine[] =>
  part.items
    .filter((item) => unitsLeft(item) > 0)
    .map((item) => ({
      orderItemId: item.id,
      productId: item.product_id,
      vendorId: item.vendor_id,
      sku: item.sku,
      title: item.title,
      qty: unitsLeft(item),
      weightGrams: item.weight_grams,
    }))

/** The head that every event of a vendor order has. */
export const vendorOrderHead = (order: Order, { row }: VendorPart) => ({
  vendorOrderId: row.id,
  vendorId: row.vendor_id,
  orderId: order.id,
  orderNo: order.order_no,
  userId: order.user_id,
  email: order.email,
})

/** The head that every event of an order has. */
export const orderHead = ({ order }: Sale) => ({
  orderId: order.id,
  orderNo: order.order_no,
  userId: order.user_id,
  email: order.email,
})

export function orderRefunded(sale: Sale, refund: Refund, full: boolean): OrderRefunded {
  const { currency, prices_include_tax: included } = sale.order
  const of = (minor: bigint) => money(currency, minor)
  const parts = refund.parts.map(({ row, lines }): RefundedVendorOrder => {
    const delivery = refundedDeliveryParts(row)
    const all = addParts(sumParts(lines.map(refundedLineParts)), delivery)
    return {
      vendorOrderId: row.vendor_order_id,
      vendorId: row.vendor_id,
      lines: lines.map((line): RefundedLine => {
        const parts = refundedLineParts(line)
        return {
          orderItemId: line.order_item_id,
          productId: line.product_id,
          sku: line.sku,
          qty: line.qty,
          subtotal: of(parts.gross),
          vendorFundedDiscount: of(parts.vendorFunded),
          platformFundedDiscount: of(parts.platformFunded),
          tax: of(parts.tax),
          amount: of(amountOf(parts, included)),
          commission: of(parts.commission),
          vendorNet: of(vendorNetOf(parts, included)),
        }
      }),
      shipping: of(delivery.gross),
      shippingVendorFundedDiscount: of(delivery.vendorFunded),
      shippingPlatformFundedDiscount: of(delivery.platformFunded),
      shippingTax: of(delivery.tax),
      vendorFundedDiscount: of(all.vendorFunded),
      platformFundedDiscount: of(all.platformFunded),
      tax: of(all.tax),
      commission: of(all.commission),
      amount: of(amountOf(all, included)),
      vendorNet: of(vendorNetOf(all, included)),
    }
  })
  return {
    refundId: refund.row.id,
    ...orderHead(sale),
    vendorOrders: parts,
    amount: of(refund.row.amount),
    reason: refund.row.reason,
    full,
    refundedAt: refund.row.created_at,
  }
}
