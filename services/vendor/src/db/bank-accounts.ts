import { enumNames } from '@haat/kit/enum'
import { failedPrecondition } from '@haat/kit/errors'
import { type BankAccount, BankAccountStatus } from '@haat/proto/vendor/v1/vendor'
import type { Kysely } from 'kysely'
import { frozenUntil } from '../domain/payouts.ts'
import type { BankAccountRow, Database, VendorRow } from './schema.ts'

export const bankStatuses = enumNames(BankAccountStatus)

/** Where an account's number is encrypted for. */
export const numberPlace = (accountId: string, isIban: boolean) => ({
  table: 'vendor_bank_accounts',
  column: isIban ? 'iban' : 'account_no',
  rowId: accountId,
})

export const findDefaultAccount = (db: Kysely<Database>, vendorId: string): Promise<BankAccountRow | undefined> =>
  db
    .selectFrom('vendor_bank_accounts')
    .selectAll()
    .where('vendor_id', '=', vendorId)
    .where('is_default', '=', true)
    .executeTakeFirst()

/**
 * The account payouts go to now. FAILED_PRECONDITION `bank_unverified` when it is not verified, `payout_frozen` while
 * payouts rest after a change of it.
 */
export async function getPayoutAccount(
  db: Kysely<Database>,
  vendor: VendorRow,
  options: { holdHours: number; now: Date },
): Promise<BankAccountRow> {
  const account = await findDefaultAccount(db, vendor.id)
  if (account?.status !== 'verified') throw bankUnverified()
  const until = frozenUntil(vendor.bank_changed_at, options.holdHours, options.now)
  if (until)
    throw failedPrecondition('payout_frozen', 'the bank account changed a short time ago', {
      until: until.toISOString(),
    })
  return account
}

export const bankUnverified = () => failedPrecondition('bank_unverified', 'the default bank account is not verified')

export const toBankAccount = (row: BankAccountRow): BankAccount => ({
  id: row.id,
  vendorId: row.vendor_id,
  accountHolder: row.account_holder,
  last4: row.last4,
  isIban: row.is_iban,
  bankName: row.bank_name,
  routing: row.routing,
  country: row.country,
  isDefault: row.is_default,
  status: bankStatuses.fromName(row.status),
  reason: row.reason,
  verifiedAt: row.verified_at ?? undefined,
  createdAt: row.created_at,
})
