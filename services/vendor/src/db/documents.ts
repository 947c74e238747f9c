import { enumNames } from '@haat/kit/enum'
import { KycDocStatus, KycDocType, type KycDocument } from '@haat/proto/vendor/v1/vendor'
import type { KycDocRow } from './schema.ts'

export const docTypes = enumNames(KycDocType)
export const docStatuses = enumNames(KycDocStatus)

/** Where a document's content is encrypted for. */
export const contentPlace = (documentId: string) => ({
  table: 'vendor_kyc_contents',
  column: 'content',
  rowId: documentId,
})

export const toKycDocument = (row: KycDocRow): KycDocument => ({
  id: row.id,
  vendorId: row.vendor_id,
  docType: docTypes.fromName(row.doc_type),
  fileName: row.file_name,
  contentType: row.content_type,
  sizeBytes: row.size_bytes,
  status: docStatuses.fromName(row.status),
  reason: row.reason,
  createdAt: row.created_at,
  verifiedAt: row.verified_at ?? undefined,
  docUrl: row.doc_url,
})
