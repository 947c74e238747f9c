import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { GetPaymentRequest, GetPaymentResponse } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { type PaymentRow, toPaymentWithRefunds } from '../db/payments.ts'

export async function getPayment(
  ctx: PaymentContext,
  request: GetPaymentRequest,
  call: Call,
): Promise<GetPaymentResponse> {
  const { key } = request
  let query = ctx.db.selectFrom('payments').selectAll()
  if (key?.$case === 'paymentId') query = query.where('id', '=', key.value)
  else query = query.where('order_id', '=', key!.value)
  const row = await query.executeTakeFirst()
  if (!row || !maySee(call, row)) throw notFound('payment_not_found', 'no such payment')
  return { payment: await toPaymentWithRefunds(ctx.db, row) }
}

/** A service that speaks for a person sees what that person may see. */
const maySee = (call: Call, row: PaymentRow): boolean =>
  isStaff(call, 'payments.read') ||
  (call.caller.kind === 'user' ? row.user_id === call.caller.id : call.service !== undefined)
