import { enumNames } from '@haat/kit/enum'
import { AppError, aborted, failedPrecondition, unavailable } from '@haat/kit/errors'
import { money } from '@haat/money/money'
import type { CreateIntentResponse, PaymentSession } from '@haat/proto/payment/v1/payment'
import { PaymentProvider, PaymentStatus } from '@haat/proto/payment/v1/payment'
import type { OrderContext } from '../context.ts'
import type { Checkout } from '../db/checkouts.ts'
import { deliveryParts, getSale, itemParts, type Sale, stockLines } from '../db/sales.ts'
import { allocationOf } from '../domain/allocation.ts'
import { sumParts } from '../domain/parts.ts'
import { describeFailure, hasCode, isRefusal } from './failure.ts'
import { place } from './place.ts'
import { settle } from './settle.ts'
import { undo } from './undo.ts'

const provider = enumNames(PaymentProvider)

/** An order that nobody may see yet. */
export type Draft = { sale: Sale; checkout: Checkout }

/** An order as it was placed, and how to pay it. */
export type Placed = { sale: Sale; session: PaymentSession | undefined }

/**
 * Holds stock, then coupons, then opens the payment, and so makes a draft payable. Every step repeats harmlessly under the
 * order's id: a crash between two of them is picked up by the next attempt with the same key, or undone by the job.
 * A refusal undoes the checkout at once; a neighbour that does not answer leaves it open.
 */
export async function holdAndPlace(ctx: OrderContext, { sale, checkout }: Draft): Promise<Placed> {
  const orderId = sale.order.id
  let opened: CreateIntentResponse
  let payBy: Date
  try {
    const { reservation } = await ctx.inventory.reserve({
      orderId,
      lines: stockLines(sale.parts.flatMap((part) => part.items)),
      ttlSeconds: ctx.paymentTtlSeconds,
    })
    payBy = reservation?.expiresAt ?? new Date(ctx.now().getTime() + ctx.paymentTtlSeconds * 1000)
    if (checkout.coupons.length > 0) {
      await ctx.promotion.hold({
        orderId,
        userId: checkout.user_id,
        coupons: checkout.coupons.map(({ couponId, discount }) => ({
          couponId,
          discount: money(sale.order.currency, BigInt(discount)),
        })),
        ttlSeconds: ctx.paymentTtlSeconds,
      })
    }
    opened = await openPayment(ctx, sale, checkout)
  } catch (error) {
    if (isRefusal(error)) {
      await undo(ctx, orderId, describeFailure(error)).catch((failure) =>
        ctx.log.warn({ orderId, failure: describeFailure(failure) }, 'the recovery job will undo this checkout'),
      )
      // Somebody else gave this checkout back while it was slow; the customer may simply try again.
      if (hasCode(error, 'payment_voided')) throw released()
      // The customer can do nothing about any other refusal: it is our mistake.
      if (error.status !== 'FAILED_PRECONDITION') throw new Error(`checkout refused: ${error.code}`, { cause: error })
    }
    throw error
  }
  const { payment, session } = opened
  const placed = await place(ctx, sale, { payBy, intentId: payment?.intentId ?? '' })
  if (!placed) throw released()
  if (payment?.status !== PaymentStatus.SUCCEEDED) return { sale: placed, session }
  await settle(ctx, orderId, { intentId: payment.intentId, paidAt: payment.paidAt ?? ctx.now() }).catch(
    // payment.succeeded brings it here again.
    (failure) => ctx.log.warn({ orderId, failure: describeFailure(failure) }, 'a paid order is not settled yet'),
  )
  return { sale: await getSale(ctx.db, orderId), session }
}

/** Opens an order's payment, or answers the one that is open: the same body always. */
export async function openPayment(ctx: OrderContext, sale: Sale, checkout: Checkout): Promise<CreateIntentResponse> {
  const { order, parts } = sale
  try {
    return await ctx.payment.createIntent({
      orderId: order.id,
      orderNo: order.order_no,
      userId: order.user_id,
      provider: provider.fromName(checkout.provider),
      amount: money(order.currency, order.total),
      allocations: parts.map(({ row, items }) =>
        allocationOf(
          {
            vendorOrderId: row.id,
            vendorId: row.vendor_id,
            goods: sumParts(items.map(itemParts)),
            delivery: deliveryParts(row),
          },
          order.currency,
          order.prices_include_tax,
        ),
      ),
    })
  } catch (error) {
    if (error instanceof AppError && error.code === 'provider_rejected')
      throw failedPrecondition('payment_rejected', 'the payment provider does not take this payment', error.details)
    if (!isRefusal(error)) throw unavailable('payment_unavailable', 'the payment cannot be opened now; try again')
    throw error
  }
}

const released = () => aborted('checkout_released', 'the checkout took too long and holds nothing any more; try again')
