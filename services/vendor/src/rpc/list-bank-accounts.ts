import type { Call } from '@haat/kit/call'
import type { ListBankAccountsRequest, ListBankAccountsResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { toBankAccount } from '../db/bank-accounts.ts'
import { getVendorRow } from '../db/vendors.ts'
import { requireMember } from './access.ts'

export async function listBankAccounts(
  ctx: VendorContext,
  request: ListBankAccountsRequest,
  call: Call,
): Promise<ListBankAccountsResponse> {
  await requireMember(ctx, call, request.vendorId, { permission: 'payouts.read', staff: 'vendors.review' })
  await getVendorRow(ctx.db, request.vendorId)
  const rows = await ctx.db
    .selectFrom('vendor_bank_accounts')
    .selectAll()
    .where('vendor_id', '=', request.vendorId)
    .orderBy('is_default', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return { bankAccounts: rows.map(toBankAccount) }
}
