import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { type ListPaymentsRequest, type ListPaymentsResponse, PaymentStatus } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { listRefunds, paymentStatus, toPayment } from '../db/payments.ts'

export async function listPayments(ctx: PaymentContext, request: ListPaymentsRequest): Promise<ListPaymentsResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  let query = ctx.db
    .selectFrom('payments')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (request.status !== PaymentStatus.UNSPECIFIED)
    query = query.where('status', '=', paymentStatus.toName(request.status))
  if (request.orderId) query = query.where('order_id', '=', request.orderId)
  if (request.userId) query = query.where('user_id', '=', request.userId)
  if (request.from) query = query.where('created_at', '>=', request.from)
  if (request.to) query = query.where('created_at', '<', request.to)
  if (after) query = query.where('id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.id])
  const refunds = await listRefunds(
    ctx.db,
    page.items.map((row) => row.id),
  )
  return { payments: page.items.map((row) => toPayment(row, refunds)), nextPageToken: page.nextPageToken }
}
