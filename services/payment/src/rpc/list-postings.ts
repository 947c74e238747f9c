import { enumNames } from '@haat/kit/enum'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { type ListPostingsRequest, type ListPostingsResponse, TransactionKind } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { amountOf } from '../db/payments.ts'

const kinds = enumNames(TransactionKind)

export async function listPostings(ctx: PaymentContext, request: ListPostingsRequest): Promise<ListPostingsResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  let query = ctx.db
    .selectFrom('ledger_postings as p')
    .innerJoin('ledger_transactions as t', 't.id', 'p.transaction_id')
    .selectAll('p')
    .select(['t.kind', 't.reference'])
    .orderBy('p.id', 'desc')
    .limit(size + 1)
  if (request.account) query = query.where('p.account', '=', request.account)
  if (request.orderId) query = query.where('p.order_id', '=', request.orderId)
  if (request.vendorId) query = query.where('p.vendor_id', '=', request.vendorId)
  if (request.transactionId) query = query.where('p.transaction_id', '=', request.transactionId)
  if (request.from) query = query.where('p.posted_at', '>=', request.from)
  if (request.to) query = query.where('p.posted_at', '<', request.to)
  if (after) query = query.where('p.id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.id])
  return {
    postings: page.items.map((row) => ({
      id: row.id,
      transactionId: row.transaction_id,
      kind: kinds.fromName(row.kind),
      account: row.account,
      amount: amountOf(row),
      orderId: row.order_id ?? '',
      vendorOrderId: row.vendor_order_id ?? '',
      vendorId: row.vendor_id ?? '',
      reference: row.reference,
      postedAt: row.posted_at,
    })),
    nextPageToken: page.nextPageToken,
  }
}
