import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import type { Transaction } from '@haat/kit/postgres'
import { VendorBankReviewed } from '@haat/proto/vendor/v1/events'
import type { VerifyBankAccountRequest, VerifyBankAccountResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { toBankAccount } from '../db/bank-accounts.ts'
import type { BankAccountRow, Database, VendorRow } from '../db/schema.ts'
import { lockVendor } from '../db/vendors.ts'
import { actorOf } from './access.ts'
import { checkReason } from './checks.ts'

export async function verifyBankAccount(
  ctx: VendorContext,
  request: VerifyBankAccountRequest,
  call: Call,
): Promise<VerifyBankAccountResponse> {
  const { bankAccountId, verified } = request
  if (!verified) checkReason(request.reason)
  return ctx.db.transaction().execute(async (tx) => {
    const find = tx.selectFrom('vendor_bank_accounts').selectAll().where('id', '=', bankAccountId)
    const found = await find.executeTakeFirst()
    if (!found) throw notFound('bank_account_not_found', 'no such bank account')
    const vendor = await lockVendor(tx, found.vendor_id)
    const before = await find.executeTakeFirstOrThrow()
    // The owner was forgotten, and the number with them.
    if (!before.account_no && !before.iban) throw notFound('bank_account_not_found', 'no such bank account')
    if (before.status === (verified ? 'verified' : 'rejected')) return { bankAccount: toBankAccount(before) }

    const becomesDefault = verified && before.make_default && !before.is_default
    if (becomesDefault) await dethrone(tx, vendor, ctx.now())
    const after: BankAccountRow = await tx
      .updateTable('vendor_bank_accounts')
      .set({
        status: verified ? 'verified' : 'rejected',
        reason: verified ? '' : request.reason,
        reviewed_by: actorOf(call),
        verified_at: verified ? ctx.now() : null,
        is_default: before.is_default || becomesDefault,
        make_default: verified ? false : before.make_default,
        updated_at: ctx.now(),
      })
      .where('id', '=', bankAccountId)
      .returningAll()
      .executeTakeFirstOrThrow()
    await emit(tx, VendorBankReviewed, {
      vendorId: vendor.id,
      vendorName: vendor.name,
      ownerUserId: vendor.owner_user_id,
      bankAccountId,
      last4: after.last4,
      verified,
      reason: after.reason,
    })
    return { bankAccount: toBankAccount(after) }
  })
}

/** Makes room for another default account. A vendor that has sold gets no payouts for a while: it may not be its own doing. */
async function dethrone(tx: Transaction<Database>, vendor: VendorRow, at: Date): Promise<void> {
  await tx
    .updateTable('vendor_bank_accounts')
    .set({ is_default: false, updated_at: at })
    .where('vendor_id', '=', vendor.id)
    .where('is_default', '=', true)
    .execute()
  if (vendor.approved_at)
    await tx.updateTable('vendors').set({ bank_changed_at: at, updated_at: at }).where('id', '=', vendor.id).execute()
}
