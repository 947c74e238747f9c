import { type Call, requireUser } from '@haat/kit/call'
import type { SetDefaultAddressRequest, SetDefaultAddressResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { addressNotFound, moveDefault, toSavedAddress } from '../db/addresses.ts'
import { lockProfile } from '../db/profiles.ts'

export async function setDefaultAddress(
  ctx: ProfileContext,
  request: SetDefaultAddressRequest,
  call: Call,
): Promise<SetDefaultAddressResponse> {
  const userId = requireUser(call)
  return ctx.db.transaction().execute(async (tx) => {
    await lockProfile(tx, userId)
    const row = await moveDefault(tx, userId, request.addressId, ctx.now())
    if (!row) throw addressNotFound()
    return { address: toSavedAddress(row) }
  })
}
