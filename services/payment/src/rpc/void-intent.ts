import type { VoidIntentRequest, VoidIntentResponse } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { toPaymentWithRefunds } from '../db/payments.ts'
import { voidPayment } from '../steps/void-payment.ts'

export async function voidIntent(ctx: PaymentContext, request: VoidIntentRequest): Promise<VoidIntentResponse> {
  const { outcome, payment } = await voidPayment(ctx, request.orderId)
  return { outcome, payment: payment && (await toPaymentWithRefunds(ctx.db, payment)) }
}
