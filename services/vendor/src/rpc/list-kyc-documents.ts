import type { Call } from '@haat/kit/call'
import type { ListKycDocumentsRequest, ListKycDocumentsResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { toKycDocument } from '../db/documents.ts'
import { getVendorRow } from '../db/vendors.ts'
import { requireMember } from './access.ts'

export async function listKycDocuments(
  ctx: VendorContext,
  request: ListKycDocumentsRequest,
  call: Call,
): Promise<ListKycDocumentsResponse> {
  await requireMember(ctx, call, request.vendorId, { permission: 'profile.write', staff: 'vendors.review' })
  await getVendorRow(ctx.db, request.vendorId)
  const rows = await ctx.db
    .selectFrom('vendor_kyc_docs')
    .selectAll()
    .where('vendor_id', '=', request.vendorId)
    .orderBy('id', 'desc')
    .execute()
  return { documents: rows.map(toKycDocument) }
}
