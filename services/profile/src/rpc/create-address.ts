import { type Call, requireUser } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import type { CreateAddressRequest, CreateAddressResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { listAddresses, moveDefault, toColumns, toSavedAddress } from '../db/addresses.ts'
import { lockProfile } from '../db/profiles.ts'
import { checkAddress } from './check-address.ts'

const MAX_ADDRESSES = 50

export async function createAddress(
  ctx: ProfileContext,
  request: CreateAddressRequest,
  call: Call,
): Promise<CreateAddressResponse> {
  const userId = requireUser(call)
  const address = request.address!
  checkAddress(address)
  const now = ctx.now()
  return ctx.db.transaction().execute(async (tx) => {
    await lockProfile(tx, userId)
    const standing = await listAddresses(tx, userId)
    if (standing.length >= MAX_ADDRESSES)
      throw failedPrecondition('address_limit_reached', `there are ${MAX_ADDRESSES} addresses already`, {
        limit: MAX_ADDRESSES,
      })
    const created = await tx
      .insertInto('addresses')
      .values({
        id: newId(),
        user_id: userId,
        label: request.label,
        ...toColumns(address),
        is_default: standing.length === 0,
        created_at: now,
        updated_at: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    const moved = request.makeDefault ? await moveDefault(tx, userId, created.id, now) : undefined
    return { address: toSavedAddress(moved ?? created) }
  })
}
