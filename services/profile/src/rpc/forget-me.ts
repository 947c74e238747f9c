import { type Call, requireUser } from '@haat/kit/call'
import { forgetInEvents } from '@haat/kit/events/archive'
import { emit } from '@haat/kit/events/emit'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import type { ForgetMeRequest, ForgetMeResponse } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { lockAnyProfile } from '../db/profiles.ts'

export async function forgetMe(ctx: ProfileContext, _request: ForgetMeRequest, call: Call): Promise<ForgetMeResponse> {
  const userId = requireUser(call)
  const now = ctx.now()
  return ctx.db.transaction().execute(async (tx) => {
    const profile = await lockAnyProfile(tx, userId)
    if (profile.forgotten_at) return {}
    await tx
      .updateTable('profiles')
      .set({
        name: null,
        phone: null,
        avatar_url: '',
        dob: null,
        locale: null,
        marketing_opt_in: false,
        updated_at: now,
        forgotten_at: now,
      })
      .where('user_id', '=', userId)
      .execute()
    await tx.deleteFrom('addresses').where('user_id', '=', userId).execute()
    await forgetInEvents(tx, userId)
    await emit(tx, UserForgotten, { userId, forgottenAt: now })
    return {}
  })
}
