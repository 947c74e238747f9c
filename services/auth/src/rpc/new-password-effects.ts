import { emit } from '@haat/kit/events/emit'
import type { Transaction } from '@haat/kit/postgres'
import { UserPasswordChanged } from '@haat/proto/auth/v1/events'
import type { Database } from '../db/schema.ts'
import { revokeSessions } from '../db/sessions.ts'
import type { Account } from '../db/users.ts'

/** What a new password ends: the sessions it does not keep, and every reset link under way. The account's row is held. */
export async function endWhatOldPasswordOpened(
  tx: Transaction<Database>,
  user: Account,
  keepSession: string | undefined,
  now: Date,
): Promise<void> {
  await revokeSessions(tx, { userId: user.id, except: keepSession }, 'password', now)
  await tx
    .updateTable('password_resets')
    .set({ used_at: now })
    .where('user_id', '=', user.id)
    .where('used_at', 'is', null)
    .execute()
  const { id: userId, email, name, locale } = user
  await emit(tx, UserPasswordChanged, { userId, email: email ?? '', name, locale, changedAt: now })
}
