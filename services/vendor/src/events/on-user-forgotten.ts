import { forgetInEvents } from '@haat/kit/events/archive'
import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { UserForgotten } from '@haat/proto/profile/v1/events'
import type { VendorContext } from '../context.ts'
import type { Database, VendorRow } from '../db/schema.ts'
import { changeStatus } from '../db/vendor-status.ts'

const REASON = 'The owner has left.'

/**
 * Blanks what is held about a person. For an owner that is also the documents, the bank accounts and the contact of the
 * vendor, which cannot go on selling; its earnings and payouts stay.
 */
export async function onUserForgotten(
  ctx: VendorContext,
  event: Event<UserForgotten>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId } = event.data
  await tx.updateTable('vendor_members').set({ email: '' }).where('user_id', '=', userId).execute()
  const owned = await tx
    .selectFrom('vendors')
    .selectAll()
    .where('owner_user_id', '=', userId)
    .forNoKeyUpdate()
    .execute()
  for (const vendor of owned) await forgetOwner(ctx, tx, vendor)
  await forgetInEvents(tx, userId)
}

async function forgetOwner(ctx: VendorContext, tx: Transaction<Database>, vendor: VendorRow): Promise<void> {
  const now = ctx.now()
  const documents = tx.selectFrom('vendor_kyc_docs').select('id').where('vendor_id', '=', vendor.id)
  await tx.deleteFrom('vendor_kyc_contents').where('document_id', 'in', documents).execute()
  await tx
    .updateTable('vendor_kyc_docs')
    .set({ file_name: '', updated_at: now })
    .where('vendor_id', '=', vendor.id)
    .execute()
  await tx
    .updateTable('vendor_bank_accounts')
    .set({
      account_holder: '',
      account_no: null,
      iban: null,
      last4: '',
      routing: '',
      status: 'rejected',
      reason: REASON,
      verified_at: null,
      updated_at: now,
    })
    .where('vendor_id', '=', vendor.id)
    .execute()
  const blank = await tx
    .updateTable('vendors')
    .set({ support_email: '', support_phone: '', updated_at: now })
    .where('id', '=', vendor.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  const to = vendor.status === 'active' ? 'suspended' : vendor.status === 'pending' ? 'rejected' : undefined
  if (to) await changeStatus(tx, blank, { to, reason: REASON, byUserId: '', at: now })
}
