import { enumNames } from '@haat/kit/enum'
import { failedPrecondition } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { violatedConstraint } from '@haat/kit/postgres'
import { equals } from '@haat/money/compare'
import { money } from '@haat/money/money'
import { type CartChange, type CartSummary, ChangeKind } from '@haat/proto/cart/v1/cart'
import type { PlaceOrderRequest } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { paymentProvider } from '../db/messages.ts'
import { saleOf } from '../db/sales.ts'
import { allOf, type FrozenCart, freezeCart, goodsOf } from '../domain/freeze.ts'
import { amountOf } from '../domain/parts.ts'
import { hasCode } from './failure.ts'
import type { Draft } from './hold.ts'

const changeKind = enumNames(ChangeKind)

type Head = { orderId: string; userId: string; requestHash: string }

/**
 * Reads the person's cart, freezes every number of it and writes the order as a draft that nobody sees yet. Holds nothing.
 * Undefined when there is an order with this id or key.
 */
export async function prepare(ctx: OrderContext, request: PlaceOrderRequest, head: Head): Promise<Draft | undefined> {
  const address = request.shippingAddress!
  const { summary } = await ctx.cart
    .summarizeForUser({
      userId: head.userId,
      destination: { country: address.country, postalCode: address.postalCode, state: address.state },
      deliveries: request.deliveries,
    })
    .catch((error) => {
      throw hasCode(error, 'cart_not_found') ? failedPrecondition('cart_empty', 'the cart is empty') : error
    })
  if (!summary) throw new Error('cart answered no summary')
  admit(summary, request)
  const lines = summary.groups.flatMap((group) => group.lines)
  const { quotes } = await ctx.vendor.quoteCommission({
    lines: lines.map((line) => {
      const { currency, minor } = line.subtotal!
      return {
        lineId: line.lineId,
        vendorId: line.vendorId,
        productId: line.productId,
        categoryIds: line.categoryIds,
        base: money(currency, minor - line.vendorFundedDiscount!.minor),
        quantity: line.qty,
      }
    }),
  })
  return insertDraft(ctx, request, head, freezeCart(summary, quotes))
}

/** Refuses a cart that cannot be ordered, or is not the one the customer saw. */
function admit(summary: CartSummary, request: PlaceOrderRequest): void {
  if (!summary.groups.some((group) => group.lines.length > 0))
    throw failedPrecondition('cart_empty', 'the cart is empty')
  const changes = summary.changes.filter(({ kind }) => kind !== ChangeKind.PRICE_CHANGED)
  if (changes.some(({ kind }) => !mended.has(kind))) throw blocked(changes)
  for (const { vendorId, delivery } of summary.groups) {
    const choice = request.deliveries.find((candidate) => candidate.vendorId === vendorId)
    if (!choice || delivery?.optionId !== choice.optionId)
      throw failedPrecondition('delivery_unavailable', 'choose a delivery for every vendor', { vendor_id: vendorId })
  }
  const coupon = summary.coupons.find((candidate) => !candidate.accepted)
  if (coupon)
    throw failedPrecondition('coupon_invalid', 'a coupon does not apply', { code: coupon.code, reason: coupon.reason })
  if (summary.blocking) throw blocked(changes)
  if (request.cartRevision !== undefined && request.cartRevision !== summary.revision)
    throw failedPrecondition('cart_changed', 'the cart is not the one you saw')
  const total = summary.totals?.total
  if (request.expectedTotal && total && !equals(request.expectedTotal, total))
    throw failedPrecondition('total_changed', 'the total is not the one you saw', {
      total: Number(total.minor),
      currency: total.currency,
    })
}

// These have errors of their own, which say more.
const mended = new Set<number>([ChangeKind.DELIVERY_REQUIRED, ChangeKind.COUPON_INVALID])

const blocked = (changes: CartChange[]) =>
  failedPrecondition('cart_blocked', 'the cart cannot be ordered as it is', {
    changes: JSON.stringify(changes.map(({ kind, sku }) => ({ kind: changeKind.toName(kind), sku }))),
  })

async function insertDraft(
  ctx: OrderContext,
  request: PlaceOrderRequest,
  head: Head,
  cart: FrozenCart,
): Promise<Draft | undefined> {
  const { orderId, userId, requestHash } = head
  const orderNo = ctx.newOrderNo()
  const now = ctx.now()
  const { currency, taxIncluded, amounts } = cart
  const labels = new Set(cart.vendorOrders.map(({ delivery }) => delivery.label))
  // Ids grow along the cart, so that lists by id show it as the customer saw it.
  let time = now.getTime()
  const parts = cart.vendorOrders.map((vendorOrder) => ({
    row: { id: newId(time++), ...vendorOrder },
    lines: vendorOrder.lines.map((line) => ({ id: newId(time++), ...line })),
  }))
  try {
    return await ctx.db.transaction().execute(async (tx) => {
      const order = await tx
        .insertInto('orders')
        .values({
          id: orderId,
          order_no: orderNo,
          user_id: userId,
          email: request.email,
          currency,
          ...amounts,
          prices_include_tax: taxIncluded,
          shipping_method: [...labels].join(', '),
          coupon_codes: cart.coupons.map((coupon) => coupon.code),
          cart_id: cart.cartId,
          cart_version: cart.cartVersion,
          created_at: now,
          updated_at: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await tx
        .insertInto('order_addresses')
        .values({
          order_id: orderId,
          shipping_json: JSON.stringify(request.shippingAddress),
          billing_json: JSON.stringify(request.billingAddress ?? request.shippingAddress),
        })
        .execute()
      const rows = await tx
        .insertInto('vendor_orders')
        .values(
          parts.map(({ row }) => {
            const { id, delivery, vendorId } = row
            const all = allOf(row)
            return {
              id,
              order_id: orderId,
              order_no: orderNo,
              vendor_id: vendorId,
              currency,
              prices_include_tax: taxIncluded,
              subtotal: goodsOf(row).gross,
              vendor_funded_discount: all.vendorFunded,
              platform_funded_discount: all.platformFunded,
              tax: all.tax,
              commission: all.commission,
              total: amountOf(all, taxIncluded),
              option_id: delivery.optionId,
              option_label: delivery.label,
              option_carrier: delivery.carrier,
              service_level: delivery.serviceLevel,
              min_days: delivery.minDays,
              max_days: delivery.maxDays,
              shipping: delivery.parts.gross,
              shipping_vendor_funded: delivery.parts.vendorFunded,
              shipping_platform_funded: delivery.parts.platformFunded,
              shipping_tax: delivery.parts.tax,
              shipping_tax_bps: delivery.taxBps,
              carrier: delivery.carrier,
              created_at: now,
              updated_at: now,
            }
          }),
        )
        .returningAll()
        .execute()
      const items = await tx
        .insertInto('order_items')
        .values(
          parts.flatMap(({ row, lines }) =>
            lines.map((line) => ({
              id: line.id,
              order_id: orderId,
              vendor_order_id: row.id,
              vendor_id: row.vendorId,
              product_id: line.productId,
              sku: line.sku,
              title: line.title,
              image: line.image,
              option_values: JSON.stringify(line.optionValues),
              price: line.price,
              qty: line.qty,
              subtotal: line.parts.gross,
              vendor_funded_discount: line.parts.vendorFunded,
              platform_funded_discount: line.parts.platformFunded,
              tax: line.parts.tax,
              tax_class: line.taxClass,
              tax_bps: line.taxBps,
              total: amountOf(line.parts, taxIncluded),
              commission: line.parts.commission,
              commission_rule_id: line.commissionRuleId,
              commission_rule_version: line.commissionRuleVersion,
              weight_grams: line.weightGrams,
              category_ids: line.categoryIds,
            })),
          ),
        )
        .returningAll()
        .execute()
      const checkout = await tx
        .insertInto('checkouts')
        .values({
          order_id: orderId,
          user_id: userId,
          idempotency_key: request.idempotencyKey,
          request_hash: requestHash,
          provider: paymentProvider.toName(request.paymentProvider),
          coupons: JSON.stringify(cart.coupons.map((coupon) => ({ ...coupon, discount: String(coupon.discount) }))),
          recover_at: new Date(now.getTime() + ctx.recoverySeconds * 1000),
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      return { sale: saleOf(order, rows, items), checkout }
    })
  } catch (error) {
    const constraint = violatedConstraint(error)
    // One number in 2^50 is taken: the next one will do.
    if (constraint === 'orders_order_no') return insertDraft(ctx, request, head, cart)
    if (constraint === 'orders_pkey' || constraint === 'checkouts_key') return undefined
    throw error
  }
}
