import { type Call, requireUser } from '@haat/kit/call'
import { invalid } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { ProfileUpdated } from '@haat/proto/profile/v1/events'
import type { UpdateProfileRequest, UpdateProfileResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { lockProfile, toProfile } from '../db/profiles.ts'
import { isBirthDate } from '../domain/birth.ts'
import { checkPhone } from './check-phone.ts'

export async function updateProfile(
  ctx: ProfileContext,
  request: UpdateProfileRequest,
  call: Call,
): Promise<UpdateProfileResponse> {
  const userId = requireUser(call)
  const now = ctx.now()
  if (request.phone !== undefined) checkPhone(request.phone)
  if (request.dob && !isBirthDate(request.dob, now))
    throw invalid('dob_invalid', 'a birth date lies between 1900 and today')
  return ctx.db.transaction().execute(async (tx) => {
    const before = await lockProfile(tx, userId)
    const told = {
      name: request.name ?? before.name,
      phone: request.phone ?? before.phone,
      avatar_url: request.avatarUrl ?? before.avatar_url,
      dob: request.dob === undefined ? before.dob : request.dob || null,
      locale: request.locale ?? before.locale,
      marketing_opt_in: request.marketingOptIn ?? before.marketing_opt_in,
    }
    const isSame = (Object.keys(told) as (keyof typeof told)[]).every((field) => told[field] === before[field])
    if (isSame) return { profile: toProfile(before) }
    const after = await tx
      .updateTable('profiles')
      .set({ ...told, updated_at: now })
      .where('user_id', '=', userId)
      .returningAll()
      .executeTakeFirstOrThrow()
    const profile = toProfile(after)
    const { name, phone, locale, marketingOptIn } = profile
    await emit(tx, ProfileUpdated, { userId, name, phone, locale, marketingOptIn })
    return { profile }
  })
}
