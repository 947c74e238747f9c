import { type Call, requireUser } from '@haat/kit/call'
import type { UpdateAddressRequest, UpdateAddressResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { addressNotFound, toColumns, toSavedAddress } from '../db/addresses.ts'
import { checkAddress } from './check-address.ts'

export async function updateAddress(
  ctx: ProfileContext,
  request: UpdateAddressRequest,
  call: Call,
): Promise<UpdateAddressResponse> {
  const userId = requireUser(call)
  const { label, address } = request
  if (address) checkAddress(address)
  const row = await ctx.db
    .updateTable('addresses')
    .set({
      ...(label === undefined ? {} : { label }),
      ...(address ? toColumns(address) : {}),
      updated_at: ctx.now(),
    })
    .where('id', '=', request.addressId)
    .where('user_id', '=', userId)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw addressNotFound()
  return { address: toSavedAddress(row) }
}
