import { type Call, requireUser } from '@haat/kit/call'
import {
  type ExportMyDataRequest,
  type ExportMyDataResponse,
  Profile,
  SavedAddress,
} from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { listAddresses, toSavedAddress } from '../db/addresses.ts'
import { emptyProfile, findProfile, toProfile } from '../db/profiles.ts'

export async function exportMyData(
  ctx: ProfileContext,
  _request: ExportMyDataRequest,
  call: Call,
): Promise<ExportMyDataResponse> {
  const userId = requireUser(call)
  const row = await findProfile(ctx.db, userId)
  const addresses = await listAddresses(ctx.db, userId)
  const document = {
    profile: Profile.toJSON(row ? toProfile(row) : emptyProfile(userId)),
    addresses: addresses.map((address) => SavedAddress.toJSON(toSavedAddress(address))),
    exportedAt: ctx.now().toISOString(),
  }
  return { json: Buffer.from(JSON.stringify(document, null, 2)) }
}
