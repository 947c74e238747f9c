import type { Call } from '@haat/kit/call'
import { failedPrecondition, invalid } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { AddKycDocumentRequest, AddKycDocumentResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { contentPlace, docTypes, toKycDocument } from '../db/documents.ts'
import { lockVendor } from '../db/vendors.ts'
import { sniffDocument } from '../domain/document-type.ts'
import { requireMember } from './access.ts'

const LIMIT = 20

export async function addKycDocument(
  ctx: VendorContext,
  request: AddKycDocumentRequest,
  call: Call,
): Promise<AddKycDocumentResponse> {
  const { vendorId } = request
  await requireMember(ctx, call, vendorId, { permission: 'profile.write' })
  const contentType = sniffDocument(request.content)
  if (contentType !== request.contentType)
    throw invalid('document_type_unsupported', 'the content is not what its type says', {
      contentType: request.contentType,
    })
  const id = newId()
  const sealed = ctx.cipher.seal(contentPlace(id), request.content)
  return ctx.db.transaction().execute(async (tx) => {
    await lockVendor(tx, vendorId)
    const { count } = await tx
      .selectFrom('vendor_kyc_docs')
      .select((eb) => eb.fn.countAll<bigint>().as('count'))
      .where('vendor_id', '=', vendorId)
      .executeTakeFirstOrThrow()
    if (count >= LIMIT) throw failedPrecondition('document_limit_reached', `a vendor has at most ${LIMIT} documents`)
    const document = await tx
      .insertInto('vendor_kyc_docs')
      .values({
        id,
        vendor_id: vendorId,
        doc_type: docTypes.toName(request.docType),
        doc_url: `haat-vendor://kyc/${id}`,
        file_name: request.fileName,
        content_type: contentType,
        size_bytes: request.content.length,
        status: 'pending',
        reviewed_by: null,
        verified_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await tx
      .insertInto('vendor_kyc_contents')
      .values({ document_id: id, content: sealed.bytes, key_version: sealed.keyVersion })
      .execute()
    return { document: toKycDocument(document) }
  })
}
