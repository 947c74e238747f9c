import { type Call, requireUser } from '@haat/kit/call'
import type { GetMyVendorRequest, GetMyVendorResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { findDefaultAccount } from '../db/bank-accounts.ts'
import { findMembership, getVendorRow, toMember, toVendor, vendorNotFound } from '../db/vendors.ts'
import { kycComplete } from '../domain/status.ts'

export async function getMyVendor(
  ctx: VendorContext,
  _request: GetMyVendorRequest,
  call: Call,
): Promise<GetMyVendorResponse> {
  const member = await findMembership(ctx.db, requireUser(call))
  if (!member) throw vendorNotFound()
  const [vendor, rules, documents, account] = await Promise.all([
    getVendorRow(ctx.db, member.vendor_id),
    ctx.rules.current(),
    ctx.db.selectFrom('vendor_kyc_docs').select('status').where('vendor_id', '=', member.vendor_id).execute(),
    findDefaultAccount(ctx.db, member.vendor_id),
  ])
  return {
    vendor: toVendor(vendor, rules),
    member: toMember(member),
    kycComplete: kycComplete(documents.map((document) => document.status)),
    bankVerified: account?.status === 'verified',
  }
}
