import type { Call } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import type { Transaction } from '@haat/kit/postgres'
import type { SetVendorStatusRequest, SetVendorStatusResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { bankUnverified, findDefaultAccount } from '../db/bank-accounts.ts'
import type { Database } from '../db/schema.ts'
import { changeStatus } from '../db/vendor-status.ts'
import { lockVendor, statuses, toVendor } from '../db/vendors.ts'
import { kycComplete, mayMove } from '../domain/status.ts'
import { actorOf } from './access.ts'

export async function setVendorStatus(
  ctx: VendorContext,
  request: SetVendorStatusRequest,
  call: Call,
): Promise<SetVendorStatusResponse> {
  const to = statuses.toName(request.status)
  const rules = await ctx.rules.current()
  return ctx.db.transaction().execute(async (tx) => {
    const vendor = await lockVendor(tx, request.vendorId)
    if (!mayMove(vendor.status, to))
      throw failedPrecondition('vendor_status_conflict', `a ${vendor.status} vendor does not become ${to}`, {
        status: vendor.status,
      })
    if (to === 'active') await requireReady(tx, vendor.id)
    const change = { to, reason: request.reason, byUserId: actorOf(call), at: ctx.now() }
    return { vendor: toVendor(await changeStatus(tx, vendor, change), rules) }
  })
}

/** Documents and accounts change under the vendor's lock only, so this holds until the commit. */
async function requireReady(tx: Transaction<Database>, vendorId: string): Promise<void> {
  const documents = await tx.selectFrom('vendor_kyc_docs').select('status').where('vendor_id', '=', vendorId).execute()
  if (!kycComplete(documents.map((document) => document.status)))
    throw failedPrecondition('kyc_incomplete', 'a document must be accepted and none may be pending')
  const account = await findDefaultAccount(tx, vendorId)
  if (account?.status !== 'verified') throw bankUnverified()
}
