import { notFound } from '@haat/kit/errors'
import type { GetKycDocumentContentRequest, GetKycDocumentContentResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { contentPlace, toKycDocument } from '../db/documents.ts'

export async function getKycDocumentContent(
  ctx: VendorContext,
  request: GetKycDocumentContentRequest,
): Promise<GetKycDocumentContentResponse> {
  const row = await ctx.db
    .selectFrom('vendor_kyc_docs')
    .innerJoin('vendor_kyc_contents', 'vendor_kyc_contents.document_id', 'vendor_kyc_docs.id')
    .selectAll('vendor_kyc_docs')
    .select(['vendor_kyc_contents.content', 'vendor_kyc_contents.key_version'])
    .where('vendor_kyc_docs.id', '=', request.documentId)
    .executeTakeFirst()
  if (!row) throw notFound('document_not_found', 'no such document')
  const content = ctx.cipher.open(contentPlace(row.id), { keyVersion: row.key_version, bytes: row.content })
  return { document: toKycDocument(row), content }
}
