import { forgetInEvents } from '@haat/kit/events/archive'
import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { UserForgotten } from '@haat/proto/profile/v1/events'
import type { AuthContext } from '../context.ts'
import type { Database } from '../db/schema.ts'
import { loginKey, passwordKey, resetKey, verificationKey } from '../db/throttles.ts'

/** Closes the account and blanks what says whose it was; the id stays, since orders and money name it. */
export async function onUserForgotten(
  ctx: AuthContext,
  event: Event<UserForgotten>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId } = event.data
  const user = await tx.selectFrom('users').select('email').where('id', '=', userId).forUpdate().executeTakeFirst()
  if (!user) return
  await tx
    .updateTable('users')
    .set({
      email: null,
      password_hash: null,
      name: '',
      status: 'blocked',
      email_verified_at: null,
      last_login_at: null,
      vendor_id: null,
      vendor_permissions: [],
      forgotten_at: event.data.forgottenAt ?? ctx.now(),
      updated_at: ctx.now(),
    })
    .where('id', '=', userId)
    .where('forgotten_at', 'is', null)
    .execute()
  await tx.deleteFrom('sessions').where('user_id', '=', userId).execute()
  await tx.deleteFrom('password_resets').where('user_id', '=', userId).execute()
  await tx.deleteFrom('email_verifications').where('user_id', '=', userId).execute()
  await tx.deleteFrom('user_roles').where('user_id', '=', userId).execute()
  const keys = [passwordKey(userId), verificationKey(userId)]
  if (user.email) keys.push(loginKey(user.email), resetKey(user.email))
  await tx.deleteFrom('throttles').where('key', 'in', keys).execute()
  await forgetInEvents(tx, userId)
}
