import { type Call, requireUser } from '@haat/kit/call'
import type { DeleteAddressRequest, DeleteAddressResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { addressNotFound, listAddresses, moveDefault } from '../db/addresses.ts'
import { lockProfile } from '../db/profiles.ts'

export async function deleteAddress(
  ctx: ProfileContext,
  request: DeleteAddressRequest,
  call: Call,
): Promise<DeleteAddressResponse> {
  const userId = requireUser(call)
  return ctx.db.transaction().execute(async (tx) => {
    await lockProfile(tx, userId)
    const deleted = await tx
      .deleteFrom('addresses')
      .where('id', '=', request.addressId)
      .where('user_id', '=', userId)
      .returning('is_default')
      .executeTakeFirst()
    if (!deleted) throw addressNotFound()
    const [newest] = deleted.is_default ? await listAddresses(tx, userId) : []
    if (newest) await moveDefault(tx, userId, newest.id, ctx.now())
    return {}
  })
}
