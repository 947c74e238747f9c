import type { Call } from '@haat/kit/call'
import { failedPrecondition, notFound } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { VendorKycReviewed } from '@haat/proto/vendor/v1/events'
import {
  KycDocStatus,
  type ReviewKycDocumentRequest,
  type ReviewKycDocumentResponse,
} from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { docTypes, toKycDocument } from '../db/documents.ts'
import { lockVendor } from '../db/vendors.ts'
import { actorOf } from './access.ts'
import { checkReason } from './checks.ts'

export async function reviewKycDocument(
  ctx: VendorContext,
  request: ReviewKycDocumentRequest,
  call: Call,
): Promise<ReviewKycDocumentResponse> {
  const accepted = request.decision === KycDocStatus.ACCEPTED
  if (!accepted) checkReason(request.reason)
  return ctx.db.transaction().execute(async (tx) => {
    const find = tx.selectFrom('vendor_kyc_docs').selectAll().where('id', '=', request.documentId)
    const found = await find.executeTakeFirst()
    if (!found) throw notFound('document_not_found', 'no such document')
    const vendor = await lockVendor(tx, found.vendor_id)
    const decision = accepted ? 'accepted' : 'rejected'
    const decided = await tx
      .updateTable('vendor_kyc_docs')
      .set({
        status: decision,
        reason: accepted ? '' : request.reason,
        reviewed_by: actorOf(call),
        verified_at: accepted ? ctx.now() : null,
        updated_at: ctx.now(),
      })
      .where('id', '=', request.documentId)
      .where('status', '=', 'pending')
      .returningAll()
      .executeTakeFirst()
    if (!decided) {
      const standing = await find.executeTakeFirstOrThrow()
      if (standing.status !== decision)
        throw failedPrecondition('document_decided', `the document is ${standing.status}`, { status: standing.status })
      return { document: toKycDocument(standing) }
    }
    await emit(tx, VendorKycReviewed, {
      vendorId: vendor.id,
      vendorName: vendor.name,
      ownerUserId: vendor.owner_user_id,
      documentId: decided.id,
      docType: docTypes.fromName(decided.doc_type),
      accepted,
      reason: decided.reason,
    })
    return { document: toKycDocument(decided) }
  })
}
