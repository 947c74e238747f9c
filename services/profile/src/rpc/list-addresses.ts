import { type Call, requireUser } from '@haat/kit/call'
import type { ListAddressesRequest, ListAddressesResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { listAddresses as listRows, toSavedAddress } from '../db/addresses.ts'

export async function listAddresses(
  ctx: ProfileContext,
  _request: ListAddressesRequest,
  call: Call,
): Promise<ListAddressesResponse> {
  return { addresses: (await listRows(ctx.db, requireUser(call))).map(toSavedAddress) }
}
