import type { Call } from '@haat/kit/call'
import { failedPrecondition, invalid } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { AddBankAccountRequest, AddBankAccountResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { numberPlace, toBankAccount } from '../db/bank-accounts.ts'
import { lockVendor } from '../db/vendors.ts'
import { ibanValid } from '../domain/iban.ts'
import { requireMember } from './access.ts'
import { checkCountry } from './checks.ts'

const LIMIT = 10

export async function addBankAccount(
  ctx: VendorContext,
  request: AddBankAccountRequest,
  call: Call,
): Promise<AddBankAccountResponse> {
  const { vendorId } = request
  await requireMember(ctx, call, vendorId, { owner: true })
  const number = request.number!
  const isIban = number.$case === 'iban'
  if (isIban && !ibanValid(number.value)) throw invalid('iban_invalid', 'the check digits do not match')
  checkCountry(request.country)
  const id = newId()
  const sealed = ctx.cipher.seal(numberPlace(id, isIban), Buffer.from(number.value))
  return ctx.db.transaction().execute(async (tx) => {
    await lockVendor(tx, vendorId)
    const { count } = await tx
      .selectFrom('vendor_bank_accounts')
      .select((eb) => eb.fn.countAll<bigint>().as('count'))
      .where('vendor_id', '=', vendorId)
      .executeTakeFirstOrThrow()
    if (count >= LIMIT)
      throw failedPrecondition('bank_account_limit_reached', `a vendor has at most ${LIMIT} bank accounts`)
    const account = await tx
      .insertInto('vendor_bank_accounts')
      .values({
        id,
        vendor_id: vendorId,
        account_holder: request.accountHolder,
        account_no: isIban ? null : sealed.bytes,
        iban: isIban ? sealed.bytes : null,
        key_version: sealed.keyVersion,
        last4: number.value.slice(-4),
        is_iban: isIban,
        bank_name: request.bankName,
        routing: request.routing,
        country: request.country,
        is_default: count === 0n,
        make_default: request.makeDefault,
        status: 'pending',
        reviewed_by: null,
        verified_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return { bankAccount: toBankAccount(account) }
  })
}
